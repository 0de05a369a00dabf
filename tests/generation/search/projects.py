"""Projects for an index, as paths and texts."""

from __future__ import annotations

from generation.search.index import ProjectIndex


def index_of(files: dict[str, str], index: ProjectIndex | None = None) -> ProjectIndex:
    """An index that has read all files; their paths are their ids."""
    made = index if index is not None else ProjectIndex()
    made.sync({path: path for path in files})
    settle(made, files)
    return made


def settle(index: ProjectIndex, files: dict[str, str]) -> None:
    """Does all that is to be done."""
    for _ in index.steps(files.get):
        pass
    for _ in index.refer():
        pass


def paths(index: ProjectIndex, question: str, most: int = 10) -> list[str]:
    """What is found, the best first."""
    return [hit.path for hit in index.search(question, most)]


SHOP = {
    "shop/cart.py": "class ShoppingCart:\n    def add_item(self, item):\n        self.items.append(item)\n",
    "shop/invoice.py": "from shop.cart import ShoppingCart\n\ndef print_invoice(cart: ShoppingCart):\n    pass\n",
    "shop/stock.py": "def count_stock():\n    return 3\n",
    "tests/test_cart.py": "from shop.cart import ShoppingCart\n\ndef test_cart():\n    ShoppingCart().add(1)\n",
    "README.md": "# Shop\n\nHow to count stock, and how to print an invoice.\n",
    "yarn.lock": "cart invoice stock " * 50,
}
