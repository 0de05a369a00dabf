from __future__ import annotations

import pytest

from tests.generation.checks.projects import found, said

PYTHON = {
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["fastapi>=0.1", "PyYAML", "scikit-learn~=1.0"]\n'
    '[project.optional-dependencies]\ndev = ["pytest-asyncio"]\n[dependency-groups]\nlint = ["ruff"]\n',
    "shop/__init__.py": "from shop.cart import Cart\nVERSION = 1\n",
    "shop/cart.py": "class Cart: ...\n",
    "shop/api/__init__.py": "",
    "shop/api/routes.py": "import legacy_vendor\n",
    "src/tools/run.py": "",
    "tests/test_cart.py": "",
}


@pytest.mark.parametrize(
    "line",
    [
        "import os, sys",
        "import os.path",
        "from collections.abc import Iterable",
        "from __future__ import annotations",
        "import distutils",
        "import fastapi",
        "from starlette.requests import Request",
        "import yaml",
        "from sklearn.linear_model import Ridge",
        "import pytest",
        "import shop",
        "from shop.cart import Cart",
        "from shop.api import routes",
        "import shop.api.routes as r",
        "from tools import run",
        "import tools.run",
        "from . import cart",
        "from . import VERSION",
        "from .cart import Cart",
        "from .api.routes import x",
        "import legacy_vendor",
        "from . import messages_pb2",
        "try:\n    import invented_speedups\nexcept ImportError:\n    pass",
        '"""\nimport nothing_at_all\n"""',
        "# import nothing_at_all",
    ],
)
def test_imports_of_something_are_no_finding(line: str) -> None:
    assert said(PYTHON, "shop/new.py", f"{line}\n") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import quickjsonx", "quickjsonx is neither in the project"),
        ("from superhttp.client import Client", "superhttp"),
        ("import shop.basket", "no module shop.basket"),
        ("from shop.basket import Basket", "no module shop.basket"),
        ("from .basket import Basket", "no module .basket"),
        ("from . import basket", "no module .basket"),
        ("from .....far import x", "reaches out"),
    ],
)
def test_imports_of_nothing_are_found(line: str, words: str) -> None:
    [text] = said(PYTHON, "shop/new.py", f"x = 1\n{line}\n")
    assert words in text
    assert text.startswith("shop/new.py, line 2: ")


def test_without_a_dependency_file_it_is_only_told() -> None:
    [finding] = found({"a.py": ""}, {"b.py": "import quickjsonx\n"})
    assert not finding.certain


def test_an_import_that_was_there_is_not_the_answers_fault() -> None:
    files = {**PYTHON, "shop/old.py": "import quickjsonx\n"}
    assert said(files, "shop/old.py", "import quickjsonx\nx = 1\n") == []


def test_what_the_same_answer_adds_counts() -> None:
    changed = {"shop/new.py": "import superhttp\nfrom shop.basket import B\n", "shop/basket.py": "B = 1\n"}
    requirements = {**PYTHON, "requirements.txt": "requests\n"}
    assert [one.mark for one in found(requirements, changed)] == ["superhttp"]
    assert found(requirements, {**changed, "requirements.txt": "requests\nsuperhttp==1\n"}) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "-r base.txt\nsuperhttp[all]>=1 ; python_version > '3'\n"),
        ("requirements/dev.txt", "superhttp\n"),
        ("setup.py", "setup(install_requires=['superhttp>=1'])\n"),
        ("setup.cfg", "[options]\ninstall_requires =\n    superhttp\n"),
        ("Pipfile", "[packages]\nsuperhttp = '*'\n"),
        ("pyproject.toml", "[tool.poetry.dependencies]\nsuperhttp = '^1'\n"),
        ("environment.yml", "dependencies:\n  - conda-forge::superhttp=1\n"),
        ("uv.lock", '[[package]]\nname = "superhttp"\nversion = "1"\n'),
    ],
)
def test_dependencies_are_read_from_every_kind_of_file(path: str, text: str) -> None:
    assert said({path: text}, "a.py", "import superhttp\n") == []
    assert said({path: text}, "a.py", "import quickjsonx\n") != []


SCRIPT = {
    "package.json": '{"name": "shop", "dependencies": {"react": "1", "@org/kit": "1"}, '
    '"devDependencies": {"@types/lodash": "1"}}',
    "tsconfig.json": '{\n  // paths\n  "compilerOptions": {"paths": {"lib/*": ["src/lib/*"],}},\n}',
    "src/app.ts": "",
    "src/lib/sum.ts": "",
    "src/views/index.tsx": "",
    "src/style.css": "",
    "src/data.json": "{}",
}


@pytest.mark.parametrize(
    "line",
    [
        "import React from 'react';",
        "import { jsx } from 'react/jsx-runtime';",
        "import kit from '@org/kit/deep';",
        "import _ from 'lodash';",
        "import fs from 'node:fs';",
        "import { join } from 'path';",
        "const fs = require('fs/promises');",
        "import { sum } from './lib/sum';",
        "import { sum } from './lib/sum.js';",
        "import v from './views';",
        "import './style.css';",
        "import data from './data.json';",
        "import logo from './logo.svg';",
        "import x from '@/lib/sum';",
        "import { sum } from 'lib/sum';",
        "import y from 'https://example.org/y.js';",
        "export * from './app';",
        "const m = await import('./app');",
        "// import z from 'nothing';",
        "other('nothing');",
    ],
)
def test_imports_of_something_in_scripts_are_no_finding(line: str) -> None:
    assert said(SCRIPT, "src/new.ts", f"{line}\n") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import q from 'quick-jsonx';", "quick-jsonx is neither"),
        ("import q from '@org/other';", "@org/other"),
        ("const q = require('quick-jsonx/deep');", "quick-jsonx"),
        ("import { x } from './missing';", "no file ./missing"),
        ("import './missing.css';", "no file ./missing.css"),
        ("export { x } from '../lib/sum';", "no file ../lib/sum"),
    ],
)
def test_imports_of_nothing_in_scripts_are_found(line: str, words: str) -> None:
    [text] = said(SCRIPT, "src/new.ts", f"{line}\n")
    assert words in text


GO = {
    "go.mod": "module example.org/shop\n\nrequire (\n\tgithub.com/gin-gonic/gin v1.9.0\n"
    "\tgolang.org/x/sync v0.1.0 // indirect\n)\n",
    "main.go": "package main\n",
    "internal/cart/cart.go": "package cart\n",
}


@pytest.mark.parametrize(
    "name",
    ["fmt", "net/http", "encoding/json", "example.org/shop/internal/cart", "github.com/gin-gonic/gin/binding",
     "golang.org/x/sync/errgroup", "C"],
)  # fmt: skip
def test_imports_of_something_in_go_are_no_finding(name: str) -> None:
    assert said(GO, "new.go", f'package main\n\nimport "{name}"\n') == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("example.org/shop/internal/basket", "no package example.org/shop/internal/basket"),
        ("github.com/quick/jsonx", "in no module"),
        ("fmt/colors", "standard library has no package"),
        ("httpx", "standard library has no package"),
    ],
)
def test_imports_of_nothing_in_go_are_found(name: str, words: str) -> None:
    [text] = said(GO, "new.go", f'package main\n\nimport (\n\t"fmt"\n\tx "{name}"\n)\n')
    assert words in text
    assert "line 5" in text


RUST = {
    "Cargo.toml": '[package]\nname = "web-shop"\n[dependencies]\nserde = "1"\ntokio-util = { version = "1" }\n',
    "src/main.rs": "mod cart;\n",
    "src/cart.rs": "pub struct Cart;\n",
    "src/api/mod.rs": "",
}


@pytest.mark.parametrize(
    "line",
    [
        "use std::collections::HashMap;",
        "use serde::{Serialize, Deserialize};",
        "use tokio_util::codec::Framed;",
        "use {serde::Serialize, std::io};",
        "use crate::cart::Cart;",
        "use super::x;",
        "use web_shop::cart;",
        "use cart::Cart;",
        "mod api;",
        "mod inner { pub fn f() {} }\nuse inner::f;",
        "enum E { A }\nuse E::A;",
        '#[path = "x.rs"]\nmod odd;',
    ],
)
def test_imports_of_something_in_rust_are_no_finding(line: str) -> None:
    assert said(RUST, "src/lib.rs", f"{line}\n") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("use quick_jsonx::Reader;", "quick_jsonx is no crate"),
        ("use {std::io, quick_jsonx::Reader};", "quick_jsonx"),
        ("mod basket;", "no file for the module basket"),
    ],
)
def test_imports_of_nothing_in_rust_are_found(line: str, words: str) -> None:
    [text] = said(RUST, "src/lib.rs", f"{line}\n")
    assert words in text


JAVA = {
    "pom.xml": "<project><dependencies><dependency><groupId>org.springframework.boot</groupId>"
    "<artifactId>spring-boot-starter-web</artifactId></dependency><dependency><groupId>com.google.code.gson</groupId>"
    "<artifactId>gson</artifactId></dependency></dependencies></project>",
    "src/main/java/org/shop/Cart.java": "package org.shop;\nclass Cart {}\n",
}


@pytest.mark.parametrize(
    "name",
    ["java.util.List", "javax.sql.DataSource", "org.shop.Cart", "org.shop.Cart.Item", "com.google.gson.Gson",
     "org.springframework.web.bind.annotation.GetMapping", "jakarta.persistence.Entity"],
)  # fmt: skip
def test_imports_of_something_in_java_are_no_finding(name: str) -> None:
    assert (
        said(JAVA, "src/main/java/org/shop/New.java", f"package org.shop;\nimport {name};\nclass New {{}}\n") == []
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [("org.shop.Basket", "no class org.shop.Basket"), ("io.quickjson.Reader", "io.quickjson.Reader is neither")],
)
def test_imports_of_nothing_in_java_are_found(name: str, words: str) -> None:
    [text] = said(JAVA, "src/main/java/org/shop/New.java", f"package org.shop;\nimport {name};\nclass New {{}}\n")
    assert words in text


def test_other_languages_have_no_imports_that_are_looked_at() -> None:
    assert said({}, "a.css", '@import "nothing.css";\n') == []
