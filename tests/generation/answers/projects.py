"""Small projects, and what is to be changed in each: what the answers of the corpus are made from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of a file, which stand there once, and what is to stand in their place."""

    path: str
    search: str
    replace: str


@dataclass(frozen=True, slots=True)
class Project:
    """``files`` as they are; ``changes`` and ``new`` files are what an answer is to bring."""

    name: str
    files: dict[str, str]
    changes: tuple[Change, ...]
    new: dict[str, str] = field(default_factory=dict)

    def after(self, *, made: int | None = None) -> dict[str, str]:
        """The files with all changes, or with those whose bits are set in ``made``; new ones count last."""
        files = dict(self.files)
        for number, change in enumerate(self.changes):
            if made is None or made >> number & 1:
                assert files[change.path].count(change.search) == 1, (self.name, change.search)
                files[change.path] = files[change.path].replace(change.search, change.replace)
        for number, (path, text) in enumerate(self.new.items(), len(self.changes)):
            if made is None or made >> number & 1:
                files[path] = text
        return files


_SHOP_PY = '''"""What a shop sells."""

from __future__ import annotations

from dataclasses import dataclass, field

TAX = 0.19
CURRENCY = "EUR"


@dataclass
class Item:
    """One thing that is sold."""

    name: str
    price: float
    tags: list[str] = field(default_factory=list)

    def gross(self) -> float:
        """The price with tax."""
        return round(self.price * (1 + TAX), 2)


class Cart:
    """What somebody wants to buy."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def add(self, item: Item) -> None:
        """Puts an item into the cart."""
        self.items.append(item)

    def total(self) -> float:
        """The sum of all prices, without tax."""
        result = 0.0
        for item in self.items:
            result += item.price
        return result


def label(item: Item) -> str:
    """How an item is shown: 'name - price'."""
    return f"{item.name} - {item.price:.2f} {CURRENCY}"
'''
_STORE_JS = """import { readFile } from 'node:fs/promises';

const cache = new Map();

/**
 * Loads a record by its key.
 */
export async function load(key) {
  if (cache.has(key)) {
    return cache.get(key);
  }
  const text = await readFile(`data/${key}.json`, 'utf8');
  const record = JSON.parse(text);
  cache.set(key, record);
  return record;
}

export function forget(key) {
  cache.delete(key);
}

export function size() {
  return cache.size;
}
"""
_QUEUE_TS = """export interface Task {
  id: string;
  run: () => Promise<void>;
}

export class Queue {
  private readonly waiting: Task[] = [];
  private running = 0;

  constructor(private readonly most: number) {}

  push(task: Task): void {
    this.waiting.push(task);
    this.next();
  }

  private next(): void {
    while (this.running < this.most && this.waiting.length > 0) {
      const task = this.waiting.shift()!;
      this.running += 1;
      void task.run().finally(() => {
        this.running -= 1;
        this.next();
      });
    }
  }
}
"""
_LIST_TSX = """import { useState } from "react";

export function List({ items }: { items: string[] }) {
  const [open, setOpen] = useState(false);
  return (
    <section>
      <button onClick={() => setOpen(!open)}>{open ? "Hide" : "Show"}</button>
      {open && (
        <ul>
          {items.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
"""
_SERVER_GO = """package server

import (
\t"fmt"
\t"net/http"
)

// Server answers requests.
type Server struct {
\tname string
\thits int
}

// New makes a server.
func New(name string) *Server {
\treturn &Server{name: name}
}

func (s *Server) hello(w http.ResponseWriter, r *http.Request) {
\ts.hits++
\tfmt.Fprintf(w, "hello from %s", s.name)
}

func (s *Server) count(w http.ResponseWriter, r *http.Request) {
\tif s.hits == 0 {
\t\tfmt.Fprint(w, "nobody yet")
\t\treturn
\t}
\tfmt.Fprintf(w, "%d hits", s.hits)
}
"""
_STACK_RS = """//! A stack with a bound.

pub struct Stack<T> {
    items: Vec<T>,
    most: usize,
}

impl<T> Stack<T> {
    pub fn new(most: usize) -> Self {
        Stack { items: Vec::new(), most }
    }

    pub fn push(&mut self, item: T) -> bool {
        if self.items.len() >= self.most {
            return false;
        }
        self.items.push(item);
        true
    }

    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }
}
"""
_CLOCK_JAVA = """package org.example.time;

import java.time.Instant;

public final class Clock {
    private final long offset;

    public Clock(long offset) {
        this.offset = offset;
    }

    public Instant now() {
        return Instant.now().plusMillis(offset);
    }

    @Override
    public String toString() {
        return "Clock(" + offset + ")";
    }
}
"""
_INDEX_HTML = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Start</title>
  <link rel="stylesheet" href="style.css">
</head>
<body>
  <h1>Welcome</h1>
  <ul id="news">
    <li>First</li>
    <li>Second</li>
  </ul>
  <footer>Made by us</footer>
</body>
</html>
"""
_STYLE_CSS = """:root {
  --accent: #0e7490;
}

body {
  margin: 2rem auto;
  max-width: 40rem;
  font-family: system-ui, sans-serif;
}

h1 {
  color: var(--accent);
}

footer {
  margin-top: 4rem;
  font-size: 0.8rem;
}
"""
_CONFIG_JSON = """{
  "name": "shop",
  "version": "1.0.0",
  "limits": {
    "items": 100,
    "bytes": 65536
  },
  "features": ["search", "cart"],
  "debug": false
}
"""
_CI_YML = """name: check
on:
  push:
    branches: [main]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Install
        run: pip install .
      - name: Test
        run: pytest -q
"""
_README_MD = """# Shop

Sells things.

## Install

Run `pip install shop`, then `shop init`.

## Use

Start it with `shop run`. It listens on port 8000.

## Licence

MIT.
"""
_SETTINGS_TOML = """[server]
host = "127.0.0.1"
port = 8000
workers = 2

[store]
path = "shop.db"
timeout = 5.0

[log]
level = "info"
format = "json"
"""
_MAKEFILE = """PYTHON ?= python3

.PHONY: test clean

test:
\t$(PYTHON) -m pytest -q
\t@echo done

clean:
\trm -rf build dist
"""
_REPORT_SQL = """CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price NUMERIC NOT NULL
);

CREATE VIEW cheap AS
SELECT name, price
FROM item
WHERE price < 10
ORDER BY price;
"""
_WORDS_TXT = "Größe \u2013 naïve\n“quoted” text\n日本語 の 行\nemoji 👩‍👩‍👧 family\nlast line"

PROJECTS = (
    Project(
        "python",
        {"shop/models.py": _SHOP_PY, "shop/__init__.py": "", "README.md": "# Shop\n"},
        (
            Change(
                "shop/models.py",
                "        result = 0.0\n        for item in self.items:\n            result += item.price\n"
                "        return result\n",
                "        return sum(item.price for item in self.items)\n",
            ),
            Change("shop/models.py", "TAX = 0.19\n", "TAX = 0.21\n"),
        ),
    ),
    Project(
        "python and its test",
        {"shop/models.py": _SHOP_PY, "shop/__init__.py": ""},
        (
            Change(
                "shop/models.py",
                '        """Puts an item into the cart."""\n        self.items.append(item)\n',
                '        """Puts an item into the cart, once."""\n        if item not in self.items:\n'
                "            self.items.append(item)\n",
            ),
        ),
        {
            "tests/test_cart.py": "from shop.models import Cart, Item\n\n\n"
            "def test_an_item_is_added_once() -> None:\n"
            "    cart, item = Cart(), Item('a', 1.0)\n    cart.add(item)\n    cart.add(item)\n"
            "    assert cart.items == [item]\n"
        },
    ),
    Project(
        "javascript",
        {"src/store.js": _STORE_JS, "src/index.js": "export * from './store.js';\n"},
        (
            Change(
                "src/store.js",
                "  const record = JSON.parse(text);\n  cache.set(key, record);\n",
                "  const record = Object.freeze(JSON.parse(text));\n  if (cache.size > 1000) {\n"
                "    cache.clear();\n  }\n  cache.set(key, record);\n",
            ),
        ),
    ),
    Project(
        "typescript",
        {"src/queue.ts": _QUEUE_TS, "src/main.ts": "import { Queue } from './queue';\n\nnew Queue(2);\n"},
        (
            Change("src/queue.ts", "  private running = 0;\n", "  private running = 0;\n  private done = 0;\n"),
            Change(
                "src/queue.ts",
                "        this.running -= 1;\n        this.next();\n",
                "        this.running -= 1;\n        this.done += 1;\n        this.next();\n",
            ),
        ),
    ),
    Project(
        "tsx",
        {"web/List.tsx": _LIST_TSX},
        (
            Change(
                "web/List.tsx",
                "            <li key={item}>{item}</li>\n",
                '            <li key={item} className="item">\n              {item.toUpperCase()}\n'
                "            </li>\n",
            ),
        ),
    ),
    Project(
        "go",
        {"server/server.go": _SERVER_GO, "go.mod": "module example.org/shop\n\ngo 1.22\n"},
        (
            Change(
                "server/server.go",
                '\tif s.hits == 0 {\n\t\tfmt.Fprint(w, "nobody yet")\n\t\treturn\n\t}\n',
                '\tif s.hits == 0 {\n\t\tw.WriteHeader(http.StatusNotFound)\n\t\tfmt.Fprint(w, "nobody yet")\n'
                "\t\treturn\n\t}\n",
            ),
        ),
    ),
    Project(
        "rust",
        {"src/lib.rs": _STACK_RS},
        (
            Change(
                "src/lib.rs",
                "    pub fn pop(&mut self) -> Option<T> {\n        self.items.pop()\n    }\n",
                "    pub fn pop(&mut self) -> Option<T> {\n        self.items.pop()\n    }\n\n"
                "    pub fn len(&self) -> usize {\n        self.items.len()\n    }\n",
            ),
        ),
    ),
    Project(
        "java",
        {"src/main/java/org/example/time/Clock.java": _CLOCK_JAVA},
        (
            Change(
                "src/main/java/org/example/time/Clock.java",
                "        return Instant.now().plusMillis(offset);\n",
                "        Instant now = Instant.now();\n        return now.plusMillis(offset);\n",
            ),
        ),
    ),
    Project(
        "html and css",
        {"index.html": _INDEX_HTML, "style.css": _STYLE_CSS},
        (
            Change("index.html", "    <li>Second</li>\n", "    <li>Second</li>\n    <li>Third</li>\n"),
            Change("style.css", "  --accent: #0e7490;\n", "  --accent: #be185d;\n  --space: 1rem;\n"),
        ),
    ),
    Project(
        "json",
        {"config.json": _CONFIG_JSON},
        (Change("config.json", '    "items": 100,\n', '    "items": 250,\n    "files": 20,\n'),),
    ),
    Project(
        "yaml",
        {".github/workflows/check.yml": _CI_YML},
        (
            Change(
                ".github/workflows/check.yml",
                "      - name: Test\n        run: pytest -q\n",
                "      - name: Lint\n        run: ruff check .\n      - name: Test\n        run: pytest -q -x\n",
            ),
        ),
    ),
    Project(
        "markdown",
        {"README.md": _README_MD, "docs/use.md": "# Use\n"},
        (
            Change(
                "README.md",
                "Start it with `shop run`. It listens on port 8000.\n",
                "Start it with `shop run --port 9000`.\n\nStop it with Ctrl+C.\n",
            ),
        ),
    ),
    Project(
        "toml",
        {"settings.toml": _SETTINGS_TOML},
        (
            Change("settings.toml", "workers = 2\n", "workers = 4\n"),
            Change("settings.toml", 'level = "info"\n', 'level = "debug"\ncolour = true\n'),
        ),
    ),
    Project(
        "makefile",
        {"Makefile": _MAKEFILE},
        (Change("Makefile", "\t@echo done\n", "\t$(PYTHON) -m mypy\n\t@echo all done\n"),),
    ),
    Project(
        "windows",
        {"shop\u00e9/models.py".replace("\u00e9", ""): _SHOP_PY.replace("\n", "\r\n")},
        (Change("shop/models.py", 'CURRENCY = "EUR"\r\n', 'CURRENCY = "USD"\r\nSYMBOL = "$"\r\n'),),
    ),
    Project(
        "sql",
        {"report.sql": _REPORT_SQL},
        (Change("report.sql", "WHERE price < 10\n", "WHERE price < 20\n  AND name <> ''\n"),),
    ),
    Project(
        "unicode without a last newline",
        {"words.txt": _WORDS_TXT},
        (Change("words.txt", "日本語 の 行\n", "日本語 の 行\nZwölf Boxkämpfer\n"),),
    ),
    Project("a new project", {}, (), {"app/main.py": "print('hello')\n", "app/__init__.py": "VERSION = 1\n"}),
)
