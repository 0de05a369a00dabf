"""A room's versions in memory, made and thinned out as the server does it, beside what they must read back as."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from collab.history.chain import Chain, Reads, checked_text, children, tree_of
from collab.history.making import Before, changed_files, make_pack, next_tree
from collab.history.pack import Pack, merged
from collab.history.tree import Tree
from collab.history.version import Cause, Version, VersionId
from collab.ids import FileId

T = TypeVar("T")
Files = dict[str, tuple[str, str]]
"""By id, a path and a text."""


@dataclass
class World:
    versions: list[Version] = field(default_factory=list)
    packs: dict[str, bytes] = field(default_factory=dict)
    truth: dict[str, Files] = field(default_factory=dict)
    made: int = 0

    def make(self, files: Files, at_ms: int = 0, cause: Cause = "work") -> Version:
        last = self.versions[-1] if self.versions else None
        before = None
        chain = Chain(self.versions)
        if last is not None:
            fold = self.run(chain.tree(last))
            before = Before(tree_of(fold), fold, chain.filled(last).number)
        tree = before.tree if before is not None else Tree()
        self.made += 1
        number = last.number + 1 if last is not None else 1
        paths = {FileId(file): path for file, (path, _) in files.items()}
        texts = {FileId(file): text for file, (_, text) in files.items()}
        after, edited = next_tree(tree, number, paths, texts)
        ident = VersionId(f"v{self.made}")
        data = b""
        if before is None or changed_files(tree, after):
            rows = [tree.rows[file] for file in edited if file in tree.rows]
            folds = self.run(chain.texts(last, rows)) if last is not None else {}
            data = make_pack(before, after, edited, texts, folds).to_bytes()
        base = last.id if last is not None else None
        version = Version(ident, number, at_ms, cause, base=base, inline=data, size=len(data))
        self.versions.append(version)
        self.truth[ident] = dict(files)
        return version

    def remove(self, ident: str) -> None:
        going = next(one for one in self.versions if one.id == ident)
        chain = Chain(self.versions)
        for child in children(self.versions, going.id):
            moved = replace(child, base=going.base)
            if not going.empty:
                kept = tree_of(self.run(chain.tree(child))).rows.keys()
                older = Pack.from_bytes(going.inline)
                if child.empty:
                    pack = Pack(older.tree, {f: e for f, e in older.entries.items() if f in kept})
                else:
                    pack = merged(older, Pack.from_bytes(child.inline), kept)
                moved = replace(moved, inline=pack.to_bytes())
            self.versions[self.versions.index(child)] = moved
        self.versions.remove(going)
        del self.truth[ident]

    def read(self, version: Version) -> Files:
        chain = Chain(self.versions)
        tree = tree_of(self.run(chain.tree(version)))
        folds = self.run(chain.texts(version, tree.rows.values()))
        return {file: (row.path, checked_text(folds[file], row)) for file, row in tree.rows.items()}

    def run(self, reads: Reads[T]) -> T:
        try:
            version = next(reads)
            while True:
                version = reads.send(Pack.from_bytes(version.inline))
        except StopIteration as done:
            result: T = done.value
            return result
