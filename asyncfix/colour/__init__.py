"""What must turn async for one leaf, or what stands in the way."""
