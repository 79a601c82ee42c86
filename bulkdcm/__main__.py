"""``python -m bulkdcm``."""

from bulkdcm.cli import main

if __name__ == "__main__":
    main()
