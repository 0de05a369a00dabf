"""Imports in JavaScript and TypeScript: files of the project, packages that it depends on, modules of Node."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final

from collab.syntax.syntax import Syntax
from generation.checks.finding import Missing, Project, Used

_QUERY: Final = """
(import_statement source: (string (string_fragment) @module))
(export_statement source: (string (string_fragment) @module))
(call_expression function: (import) arguments: (arguments . (string (string_fragment) @module)))
(call_expression function: (identifier) @f arguments: (arguments . (string (string_fragment) @required)))
"""
_SUFFIXES: Final = (
    "", ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".json", ".vue", ".svelte",
    ".astro", ".css", ".scss", ".sass", ".less",
)  # fmt: skip
_READ: Final = frozenset(suffix[1:] for suffix in _SUFFIXES if suffix and suffix != ".d.ts")
"""Files with other suffixes, such as pictures, are not kept in a room."""
_NODE: Final = frozenset(
    {"assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
     "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module",
     "net", "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream",
     "string_decoder", "sys", "test", "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi",
     "worker_threads", "zlib"}
)  # fmt: skip
_BEHIND: Final[dict[str, str]] = {".js": ".ts", ".jsx": ".tsx", ".mjs": ".mts", ".cjs": ".cts"}


class ScriptImports:
    """Implements generation.checks.finding.ImportChecker."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def used(self, syntax: Syntax, path: str, text: str) -> list[Used]:
        """Module specifiers."""
        found = []
        for match in syntax.matches(path, text, _QUERY):
            required = match.get("f", ())
            if required and required[0].text != "require":
                continue
            for one in (*match.get("module", ()), *match.get("required", ())):
                found += [Used(one.text, one.line)] if "try_statement" not in one.around else []
        return found

    def missing(self, path: str, text: str, name: str) -> Missing | None:
        """What is wrong with the import of a specifier."""
        name = re.split(r"[?!]", name)[0]
        if not name or name.startswith(("/", "#", "~", "$", "@/", "%")) or ":" in name:
            return None  # a URL, or a name that a bundler gives a meaning to
        if name.startswith("."):
            return self._relative(path, name)
        package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        if (
            package in _NODE
            or package in self._packages
            or f"@types/{package.lstrip('@').replace('/', '__')}" in (self._packages)
        ):
            return None
        if any(re.match(pattern, name) for pattern in self._mapped) or self._found(name, self._roots):
            return None
        if not self._manifests:
            return Missing(f"{package} is not in the project, and no package.json says what it depends on.", False)
        return Missing(f"{package} is neither in the project nor in {', '.join(self._manifests[:3])}.", True)

    def _relative(self, path: str, name: str) -> Missing | None:
        stem = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        suffix = posixpath.splitext(name)[1][1:].lower()
        if stem.startswith("..") or (suffix and suffix.isalpha() and suffix not in _READ and len(suffix) <= 5):
            return None
        if self._found(stem, [""]):
            return None
        return Missing(f"there is no file {name} beside {path}.", True)

    def _found(self, stem: str, roots: Iterable[str]) -> bool:
        ends = [stem] + [stem[: -len(old)] + new for old, new in _BEHIND.items() if stem.endswith(old)]
        ends += [stem[: -len(old)] + ".tsx" for old in (".js",) if stem.endswith(old)]
        for root in roots:
            for end in ends:
                whole = f"{root}{end}"
                if any(whole + suffix in self._paths for suffix in _SUFFIXES):
                    return True
                inside = f"{whole}/index" if whole != "." else "index"
                if any(inside + suffix in self._paths for suffix in _SUFFIXES[1:]):
                    return True
        return False

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(self._project.paths())

    @cached_property
    def _roots(self) -> list[str]:
        """Folders from which a name without dots may be looked up."""
        roots = {""}
        for path in self._paths:
            if path.rpartition("/")[2] in {"tsconfig.json", "jsconfig.json", "package.json"}:
                folder = path.rpartition("/")[0]
                roots |= {f"{folder}/" if folder else "", f"{folder}/src/" if folder else "src/"}
        return sorted(roots)

    @cached_property
    def _manifests(self) -> list[str]:
        return sorted(
            path for path in self._paths if path.rpartition("/")[2] in {"package.json", "deno.json", "deno.jsonc"}
        )

    @cached_property
    def _packages(self) -> frozenset[str]:
        names: set[str] = set()
        for path in self._manifests:
            data = _json(self._project.text(path))
            for key in (
                "dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "imports",
            ):  # fmt: skip
                if isinstance(data.get(key), dict):
                    names.update(str(name).rstrip("/") for name in data[key])
            if isinstance(data.get("name"), str):
                names.add(data["name"])
        for package, more in (("react", ("react-dom",)), ("next", ("react", "react-dom")), ("vite", ("rollup",))):
            if package in names and package != "react":
                names.update(more)
        return frozenset(names)

    @cached_property
    def _mapped(self) -> list[str]:
        """What the compiler's settings give a meaning to, as patterns."""
        patterns = []
        for path in self._paths:
            name = path.rpartition("/")[2]
            if re.fullmatch(r"[jt]sconfig[\w.-]*\.json", name):
                options = _json(self._project.text(path)).get("compilerOptions")
                paths = options.get("paths") if isinstance(options, dict) else None
                if isinstance(paths, dict):
                    patterns += [re.escape(str(one)).replace(r"\*", ".*") for one in paths]
            elif re.match(r"(?:vite|webpack|rollup|vitest|jest|babel|next)\.config\.", name):
                text = self._project.text(path) or ""
                patterns += [re.escape(one) for one in re.findall(r"[\"']([@~#]?[\w-]+)[\"']\s*:", text)]
        return patterns


def _json(text: str | None) -> dict[str, Any]:
    """A file of settings, which may have comments and commas too many; empty if it cannot be read."""
    if not text:
        return {}
    for tidy in (
        text,
        re.sub(r",(\s*[}\]])", r"\1", re.sub(r"^\s*//.*$|/\*.*?\*/", "", text, flags=re.MULTILINE | re.DOTALL)),
    ):
        try:
            data = json.loads(tidy)
        except ValueError:
            continue
        return data if isinstance(data, dict) else {}
    return {}
