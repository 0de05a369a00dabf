import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { createFile, deleteFiles, FileRefused, renameFile, renameFolder } from "../src/files/changing";
import { fileText, filesMap, observeListing, readListing } from "../src/files/listing";
import { byCodePoint, checkPath, suffixed } from "../src/files/paths";

function put(doc: Y.Doc, id: string, path: unknown, text: unknown = new Y.Text()): void {
  filesMap(doc).set(id, new Y.Map(Object.entries({ path, text })));
}

describe("checkPath", () => {
  it.each(["app.py", "src/a b/ü.ts", ".gitignore", "a/.../b", "x".repeat(1024)])("takes %s", (path) => {
    expect(checkPath(path).path).toBe(path);
  });

  it.each([
    ["", "empty"],
    ["/a", "relative"],
    ["a/", "empty parts"],
    ["a//b", "empty parts"],
    ["a/../b", "'..'"],
    ["./a", "'.'"],
    ["a\\b", "backslash"],
    ["a\0b", "control character"],
    ["a\nb", "control character"],
    ["\ud800", "half a character"],
    ["ü".repeat(513), "1026 bytes"],
    [7, "string"],
    [undefined, "string"],
  ])("refuses %j", (path, word) => {
    expect(checkPath(path).problem).toContain(word);
  });

  it("gives the path in NFC", () => {
    expect(checkPath("u\u0308.py").path).toBe("ü.py");
  });
});

describe("suffixed", () => {
  it.each([
    ["app.py", "app (2).py"],
    ["src/app.test.ts", "src/app.test (2).ts"],
    ["Makefile", "Makefile (2)"],
    [".env", ".env (2)"],
    ["a.b/.env", "a.b/.env (2)"],
  ])("%s becomes %s", (path, expected) => {
    expect(suffixed(path, new Set())).toBe(expected);
  });

  it("passes over numbers that are taken", () => {
    expect(suffixed("app.py", new Set(["app (2).py", "app (3).py"]))).toBe("app (4).py");
  });
});

it("sorts ids by code point, as the server does", () => {
  expect(["\u{1f600}", "\uffff", "b", "a"].sort(byCodePoint)).toEqual(["a", "b", "\uffff", "\u{1f600}"]);
});

describe("readListing", () => {
  it("shows both files of one path, the later id with a suffix", () => {
    const doc = new Y.Doc();
    put(doc, "f2", "app.py");
    put(doc, "f1", "app.py");
    put(doc, "f3", "app (2).py");
    expect(readListing(doc).files.map((file) => [file.id, file.shown])).toEqual([
      ["f1", "app.py"],
      ["f2", "app (3).py"],
      ["f3", "app (2).py"],
    ]);
  });

  it("skips and reports what is no file", () => {
    const doc = new Y.Doc();
    put(doc, "good", "a.py");
    put(doc, "bad-path", "../a.py");
    put(doc, "no-path", null);
    put(doc, "no-text", "b.py", "text");
    filesMap(doc).set("no-map", 7);
    const { files, problems } = readListing(doc);
    expect(files.map((file) => file.id)).toEqual(["good"]);
    expect(problems).toHaveLength(4);
  });
});

describe("changing files", () => {
  it("creates, renames and deletes; a rename keeps id and text", () => {
    const doc = new Y.Doc();
    const id = createFile(doc, " src/app.py ");
    fileText(doc, id)!.insert(0, "text");
    renameFile(doc, id, "lib/app.py");
    expect(readListing(doc).files).toEqual([{ id, path: "lib/app.py", shown: "lib/app.py" }]);
    expect(fileText(doc, id)!.toString()).toBe("text");
    deleteFiles(doc, [id]);
    expect(readListing(doc).files).toEqual([]);
  });

  it("refuses a path that is taken or not allowed", () => {
    const doc = new Y.Doc();
    const id = createFile(doc, "a.py");
    createFile(doc, "b.py");
    expect(() => createFile(doc, "a.py")).toThrow(FileRefused);
    expect(() => renameFile(doc, id, "b.py")).toThrow("There is a file");
    expect(() => createFile(doc, "../x")).toThrow(FileRefused);
  });

  it("moves all files of a folder, or none", () => {
    const doc = new Y.Doc();
    for (const path of ["src/a.py", "src/in/b.py", "srcs/c.py", "lib/a.py"]) createFile(doc, path);
    const shown = (): string[] => readListing(doc).files.map((file) => file.shown).sort();
    expect(() => renameFolder(doc, "src", "lib")).toThrow("'lib/a.py'");
    expect(shown()).toEqual(["lib/a.py", "src/a.py", "src/in/b.py", "srcs/c.py"]);
    renameFolder(doc, "src", "app/core");
    expect(shown()).toEqual(["app/core/a.py", "app/core/in/b.py", "lib/a.py", "srcs/c.py"]);
  });
});

it("tells of files that come, go and are renamed, not of typing", () => {
  const doc = new Y.Doc();
  let told = 0;
  observeListing(doc, () => (told += 1));
  const id = createFile(doc, "a.py");
  expect(told).toBe(1);
  fileText(doc, id)!.insert(0, "x");
  expect(told).toBe(1);
  renameFile(doc, id, "b.py");
  expect(told).toBe(2);
  deleteFiles(doc, [id]);
  expect(told).toBe(3);
});
