import { ChangeSet } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { blameAddress, lengthOf, type Blamed } from "../src/blame/asking";
import { mainAuthor, rangesOf } from "../src/blame/margin";
import { longAuthor, shortAuthor } from "../src/blame/words";
import { summary, worthTelling } from "../src/history/activity";
import { causeOf, peopleOf, startAt, withVersion } from "../src/history/versions";
import type { ActivityReport, BlameAuthor, Job, VersionInfo } from "../src/messages";

const version = (number: number, more: Partial<VersionInfo> = {}): VersionInfo => ({
  version: `v${number}`, number, at_ms: number * 1000, cause: "work", name: "", by: "", job: null, files: 1, changed: 1,
  touched: [], stored_bytes: 1, ...more,
});
const person = (name: string): BlameAuthor => ({ kind: "person", author: name, name, job: null, model: null, prompt: null });
const asked: BlameAuthor = { kind: "job", author: "j1", name: "Guest 10", job: "j1", model: "m", prompt: "do it" };

describe("versions", () => {
  it("are newest first, and each once", () => {
    const list = withVersion([version(2), version(1)], version(3))!;
    expect(withVersion(list, version(2, { name: "named" }))!.map((one) => one.name || one.version)).toEqual(["v3", "named", "v1"]);
    expect(withVersion(null, version(1))).toBeNull();
  });

  it("say why they are there and who had a hand in it, jobs not by their ids", () => {
    const jobs = [{ job: "j1", prompt: "do it" } as Job];
    const ended = version(2, { cause: "job_ended", job: "j1", touched: [{ path: "a", by: ["Guest 10", "j1", "Guest 10"] }] });
    expect(causeOf(ended, jobs)).toBe("After “do it”");
    expect(peopleOf(ended, jobs)).toEqual(["Guest 10", "AI"]);
  });

  it("begin with what a job did, what happened since, or the newest", () => {
    const list = [version(4), version(3, { cause: "job_ended", job: "j1" }), version(2, { cause: "job_started", job: "j1" }), version(1)];
    const ids = (start: Parameters<typeof startAt>[1]) => {
      const { version, against } = startAt(list, start);
      return [version?.version, against?.version];
    };
    expect(ids({ job: "j1" })).toEqual(["v2", "v3"]);
    expect(ids({ since: 3500 })).toEqual(["v3", undefined]);
    expect(ids({ since: 1 })).toEqual(["v1", undefined]);
    expect(ids({})).toEqual(["v4", undefined]);
    expect(startAt([], {}).version).toBeNull();
  });
});

describe("activity", () => {
  const report = (more: Partial<ActivityReport>): ActivityReport => ({
    type: "activity_report", id: null, since_ms: 1, last_seen_ms: 1, now_ms: 2, versions: [], jobs: [], suggestions: [], files: [],
    ...more,
  });
  const file = (path: string, ...names: string[]) => ({
    file: path, path, by: names.map((name) => ({ author: person(name), at_ms: 1, inserted: 1 })),
  });

  it("names who changed files, but not what the person did", () => {
    const files = [file("a", "Guest 20"), file("b", "Guest 10", "Guest 30"), file("c", "Guest 10"), file("d")];
    expect(summary(report({ files }), "Guest 10")).toBe("2 files changed by Guest 20, Guest 30");
  });

  it("is told only to who was here before, and when there is something", () => {
    const files = [file("a", "Guest 20")];
    expect(worthTelling(report({ files }), "Guest 10")).toBe(true);
    expect(worthTelling(report({ files, last_seen_ms: null }), "Guest 10")).toBe(false);
    expect(worthTelling(report({ files }), "Guest 20")).toBe(false);
  });
});

describe("the margin", () => {
  const position = { line: 0, character: 0 };
  const blamed: Blamed = {
    authors: [person("Guest 10"), asked],
    ranges: [
      { start: position, end: position, offset: 0, length: 5, author: 0, at_ms: 1 },
      { start: position, end: position, offset: 5, length: 2, author: 1, at_ms: 2 },
    ],
  };

  it("has who wrote most of a line", () => {
    const set = rangesOf(blamed);
    expect(lengthOf(blamed)).toBe(7);
    expect(mainAuthor(set, 0, 7)).toEqual({ author: blamed.authors[0], atMs: 1 });
    expect(mainAuthor(set, 4, 7)?.author).toBe(asked);
    expect(mainAuthor(set, 7, 7)).toBeNull();
  });

  it("moves with changes; what is new belongs to nobody yet", () => {
    const set = rangesOf(blamed).map(ChangeSet.of({ from: 0, insert: "new\n" }, 7));
    expect(mainAuthor(set, 0, 4)).toBeNull();
    expect(mainAuthor(set, 4, 9)?.author.name).toBe("Guest 10");
  });

  it("says it short in the margin and in full below the text", () => {
    expect(shortAuthor(asked)).toBe("AI · Guest 10");
    expect(longAuthor(asked, 0)).toBe("AI job asked by Guest 10 · m · “do it”");
    expect(longAuthor({ ...asked, kind: "unknown", model: null, prompt: null }, 0)).toBe("Nobody knows who");
  });

  it("asks for a path as it is", () => {
    expect(blameAddress("my%20room", "a b/ü#.py")).toBe("/api/rooms/my%2520room/blame/a%20b/%C3%BC%23.py");
  });
});
