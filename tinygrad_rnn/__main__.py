# PYTHON_ARGCOMPLETE_OK: argcomplete may complete this command in the shell
"""``python -m tinygrad_rnn`` is the command ``tinygrad-rnn``."""

import sys


def main() -> int:
    """Run the command line; an interruption is one line also while it is being imported."""
    try:
        from tinygrad_rnn import cli
    except KeyboardInterrupt:
        print("tinygrad-rnn: interrupted", file=sys.stderr)
        return 130
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
