import { describe, expect, it } from "vitest";
import { buildTree, foldersAbove, visibleRows } from "../src/files/tree";

const files = ["b.py", "src/text10.ts", "src/text2.ts", "src/in/x.py", "Abc.md", "a/b/c.py"].map((path, index) => ({
  id: `f${index}`,
  path,
  shown: path,
}));

describe("the tree", () => {
  it("has folders first, then files, numbers in their order", () => {
    const rows = visibleRows(buildTree(files), () => true);
    expect(rows.map((row) => `${row.level} ${row.node.name}`)).toEqual([
      "1 a",
      "2 b",
      "3 c.py",
      "1 src",
      "2 in",
      "3 x.py",
      "2 text2.ts",
      "2 text10.ts",
      "1 Abc.md",
      "1 b.py",
    ]);
  });

  it("hides what is in a closed folder", () => {
    const rows = visibleRows(buildTree(files), (folder) => folder === "src");
    expect(rows.map((row) => row.node.path)).toEqual(["a", "src", "src/in", "src/text2.ts", "src/text10.ts", "Abc.md", "b.py"]);
  });

  it("says the place of each row among its siblings", () => {
    const rows = visibleRows(buildTree(files), () => false);
    expect(rows.map((row) => [row.position, row.siblings])).toEqual([[1, 4], [2, 4], [3, 4], [4, 4]]);
  });

  it("shows a file and a folder of the same name", () => {
    const both = ["x", "x/y"].map((path, index) => ({ id: `${index}`, path, shown: path }));
    expect(visibleRows(buildTree(both), () => true).map((row) => row.node.kind)).toEqual(["folder", "file", "file"]);
  });
});

it("names the folders above a path", () => {
  expect(foldersAbove("a/b/c.py")).toEqual(["a", "a/b"]);
  expect(foldersAbove("c.py")).toEqual([]);
});
