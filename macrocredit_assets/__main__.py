"""``python -m macrocredit_assets``: the ``macrocredit`` command."""

from macrocredit_assets.cli import main

if __name__ == "__main__":
    main()
