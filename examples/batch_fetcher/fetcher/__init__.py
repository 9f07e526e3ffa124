"""Download a catalogue of photos, several at once."""
