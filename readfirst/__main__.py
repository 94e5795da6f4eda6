"""`python -m readfirst` is the command `readfirst`."""

from readfirst.cli import main

if __name__ == "__main__":
    main()
