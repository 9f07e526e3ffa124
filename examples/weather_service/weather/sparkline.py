"""Draw the numbers on standard input as a line of bars. A program of its own, it knows nothing of the service."""

import sys

BARS = "▁▂▃▄▅▆▇█"


def main() -> None:
    numbers = [float(word) for word in sys.stdin.read().split()]
    low, high = min(numbers), max(numbers)
    step = (high - low) / (len(BARS) - 1) or 1.0
    bars = "".join(BARS[round((number - low) / step)] for number in numbers)
    sys.stdout.buffer.write(f"{bars}\n".encode())


if __name__ == "__main__":
    main()
