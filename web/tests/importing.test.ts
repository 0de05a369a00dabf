import { unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { IgnoreRules } from "../src/files/ignoring";
import { commonFolder, isZip, selectPicked, withoutLarge, zipFiles } from "../src/files/importing";

const picked = (path: string, text = "x") => ({ path, file: new File([text], path.slice(path.lastIndexOf("/") + 1)) });

describe("IgnoreRules", () => {
  it("lets a deeper file overrule a higher one, but not inside an ignored folder", () => {
    const rules = new IgnoreRules();
    rules.add("p/", "*.log\nbuild/\n");
    rules.add("p/keep/", "!*.log\n");
    rules.add("p/build/", "!x.py\n");
    expect(rules.ignores("p/a.log")).toBe(true);
    expect(rules.ignores("p/keep/a.log")).toBe(false);
    expect(rules.ignores("p/build/x.py")).toBe(true);
    expect(rules.ignores("p/build/")).toBe(true);
    expect(rules.ignores("p/src/app.py")).toBe(false);
  });
});

describe("choosing files", () => {
  it("leaves out what .gitignore says and the repository itself", async () => {
    const { files, leftOut } = await selectPicked(
      ["p/.gitignore", "p/app.py", "p/node_modules/x/index.js", "p/.git/HEAD"].map((path) =>
        picked(path, path.endsWith(".gitignore") ? "node_modules\n" : "x"),
      ),
    );
    expect(files.map((one) => one.path)).toEqual(["p/.gitignore", "p/app.py"]);
    expect(leftOut).toEqual([{ path: "p/node_modules/x/index.js", reason: "A .gitignore leaves it out." }]);
  });

  it("leaves out files that the server would refuse for their size", () => {
    const { files, leftOut } = withoutLarge({ files: [picked("a", "12345"), picked("b", "1")], leftOut: [] }, 4);
    expect(files.map((one) => one.path)).toEqual(["b"]);
    expect(leftOut[0]?.reason).toContain("at most 4");
  });

  it("knows the folder that all files are in", () => {
    expect(commonFolder([picked("p/a"), picked("p/b/c")])).toBe("p");
    expect(commonFolder([picked("p/a"), picked("q/b")])).toBeNull();
    expect(commonFolder([picked("a")])).toBeNull();
  });

  it("sends a single zip as it is", () => {
    expect(isZip([picked("project.ZIP")])).toBe(true);
    expect(isZip([picked("a.zip"), picked("b.zip")])).toBe(false);
  });
});

it("zips files with their paths and texts", async () => {
  const blob = await zipFiles([picked("src/ü.py", "print('ü')"), picked("empty.txt", "")], () => undefined);
  const entries = unzipSync(new Uint8Array(await blob.arrayBuffer()));
  expect(Object.keys(entries)).toEqual(["src/ü.py", "empty.txt"]);
  expect(new TextDecoder().decode(entries["src/ü.py"])).toBe("print('ü')");
});
