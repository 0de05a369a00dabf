import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Awareness, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import type { AnyEvent } from "../src/messages";
import { awarenessFrame, controlFrame, readFrame, Step, syncFrame, type Incoming } from "../src/provider/frames";
import { RequestRefused, RoomProvider } from "../src/provider/provider";
import type { SaveState } from "../src/provider/saving";

/** The server's end of a socket: it keeps what was sent and says what the test wants. */
class FakeSocket {
  readyState = 0;
  binaryType = "";
  sent: Incoming[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  send(frame: Uint8Array): void {
    this.sent.push(readFrame(frame));
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(frame: Uint8Array): void {
    this.onmessage?.({ data: frame.slice().buffer });
  }
  lose(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
  steps(): number[] {
    return this.sent.flatMap((frame) => (frame.kind === "sync" ? [frame.step] : []));
  }
}

function visit(waiting = 0) {
  const doc = new Y.Doc();
  const awareness = new Awareness(doc);
  const sockets: FakeSocket[] = [];
  const states: SaveState[] = [];
  const events: AnyEvent[] = [];
  const problems: string[] = [];
  const provider = new RoomProvider({
    url: () => "ws://test/yjs/room",
    doc,
    awareness,
    waiting,
    onSaving: (state) => states.push(state),
    onEvent: (event) => events.push(event),
    onProblem: (message) => problems.push(message),
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    random: () => 1,
  });
  provider.connect();
  const text = doc.getText("text");
  return { doc, awareness, provider, sockets, states, events, problems, text, socket: () => sockets.at(-1)! };
}

/** Opens the connection and exchanges both sync steps with a server that holds `server`. */
function sync(socket: FakeSocket, server = new Y.Doc()): void {
  socket.open();
  socket.say(syncFrame(Step.StateVector, Y.encodeStateVector(server)));
  socket.say(syncFrame(Step.Missing, Y.encodeStateAsUpdate(server)));
}

const saved = (count: number): Uint8Array => controlFrame({ type: "saved", count });

describe("RoomProvider", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is connecting, then saved, once both steps are exchanged", () => {
    const { provider, socket } = visit();
    expect(provider.saving.kind).toBe("connecting");
    sync(socket());
    expect(provider.saving.kind).toBe("saved");
    expect(socket().steps()).toEqual([Step.StateVector, Step.Missing]);
  });

  it("counts its step 2 and its updates, and is saved when all of them are", () => {
    const { provider, socket, text } = visit();
    sync(socket());
    text.insert(0, "a");
    text.insert(1, "b");
    expect(provider.saving).toEqual({ kind: "saving", waiting: 2 });
    socket().say(saved(2));
    expect(provider.saving).toEqual({ kind: "saving", waiting: 1 });
    socket().say(saved(3));
    expect(provider.saving).toEqual({ kind: "saved", waiting: 0 });
  });

  it("holds edits back until the server has got what it lacks", () => {
    const { socket, text } = visit();
    socket().open();
    text.insert(0, "a");
    expect(socket().steps()).toEqual([Step.StateVector]);
    socket().say(syncFrame(Step.StateVector, Y.encodeStateVector(new Y.Doc())));
    expect(socket().steps()).toEqual([Step.StateVector, Step.Missing]);
  });

  it("does not count or send back what the server sent", () => {
    const { provider, socket, text } = visit();
    const server = new Y.Doc();
    server.getText("text").insert(0, "theirs");
    sync(socket(), server);
    expect(text.toString()).toBe("theirs");
    expect(provider.saving.waiting).toBe(0);
    expect(socket().steps()).toEqual([Step.StateVector, Step.Missing]);
  });

  it("keeps edits made offline and brings them back with the sync steps", () => {
    const { provider, sockets, socket, text } = visit();
    sync(socket());
    socket().lose();
    text.insert(0, "offline");
    text.insert(7, "!");
    expect(provider.saving).toEqual({ kind: "offline", waiting: 2 });
    vi.advanceTimersByTime(10_000);
    expect(sockets.length).toBe(2);
    const server = new Y.Doc();
    sync(socket(), server);
    const step2 = socket().sent.find((frame) => frame.kind === "sync" && frame.step === Step.Missing);
    if (step2?.kind !== "sync") throw new Error("There is no step 2.");
    Y.applyUpdate(server, step2.payload);
    expect(server.getText("text").toString()).toBe("offline!");
    expect(provider.saving.kind).toBe("saving");
    socket().say(saved(1));
    expect(provider.saving).toEqual({ kind: "saved", waiting: 0 });
  });

  it("brings its copy back once to a server that lost everything", () => {
    const { provider, socket, text } = visit();
    const server = new Y.Doc();
    server.getText("text").insert(0, "kept");
    sync(socket(), server);
    socket().lose();
    provider.wake();
    const reset = new Y.Doc();
    sync(socket(), reset);
    for (const frame of socket().sent) {
      if (frame.kind === "sync" && frame.step !== Step.StateVector) Y.applyUpdate(reset, frame.payload);
    }
    socket().say(syncFrame(Step.Missing, Y.encodeStateAsUpdate(reset)));
    expect(reset.getText("text").toString()).toBe("kept");
    expect(text.toString()).toBe("kept");
  });

  it("says how many edits of the last visit wait", () => {
    const { provider, socket } = visit(3);
    socket().lose();
    expect(provider.saving).toEqual({ kind: "offline", waiting: 3 });
  });

  it("says why the server does not save, until it does", () => {
    const { provider, socket, text } = visit();
    sync(socket());
    text.insert(0, "a");
    socket().say(controlFrame({ type: "not_saved", reason: "The disk is full." }));
    expect(provider.saving).toEqual({ kind: "not_saved", waiting: 1, reason: "The disk is full." });
    socket().say(saved(2));
    expect(provider.saving.kind).toBe("saved");
  });

  it("does not come back after a final close code", () => {
    const { provider, sockets, socket } = visit();
    sync(socket());
    socket().lose(4403, "You may not open this room.");
    vi.advanceTimersByTime(60_000);
    provider.wake();
    expect(sockets.length).toBe(1);
    expect(provider.saving).toEqual({ kind: "ended", waiting: 0, reason: "You may not open this room." });
  });

  it("comes back when goodbye says so", () => {
    const { sockets, socket } = visit();
    sync(socket());
    socket().say(controlFrame({ type: "goodbye", reason: "Restart", retry_ms: 5_000 }));
    socket().lose(1012);
    vi.advanceTimersByTime(4_900);
    expect(sockets.length).toBe(1);
    vi.advanceTimersByTime(1_200);
    expect(sockets.length).toBe(2);
  });

  it("stays away when goodbye says so", () => {
    const { provider, sockets, socket } = visit();
    sync(socket());
    socket().say(controlFrame({ type: "goodbye", reason: "The room was deleted.", retry_ms: null }));
    socket().lose(1000);
    vi.advanceTimersByTime(60_000);
    expect(sockets.length).toBe(1);
    expect(provider.saving).toMatchObject({ kind: "ended", reason: "The room was deleted." });
  });

  it("drops a connection on which nothing is heard", () => {
    const { provider, sockets, socket } = visit();
    sync(socket());
    vi.advanceTimersByTime(45_000);
    expect(provider.saving.kind).toBe("offline");
    vi.advanceTimersByTime(1_000);
    expect(sockets.length).toBe(2);
  });

  it("connects at once when the network is back", () => {
    const { provider, sockets, socket } = visit();
    socket().lose();
    provider.wake();
    expect(sockets.length).toBe(2);
  });

  it("sends a renewal of its presence, and does not spread that of others", () => {
    const { awareness, socket } = visit();
    awareness.setLocalState({ user: { name: "Guest 10" } });
    sync(socket());
    const other = new Awareness(new Y.Doc());
    other.setLocalState({ user: { name: "Guest 20" } });
    const before = socket().sent.length;
    socket().say(awarenessFrame(encodeAwarenessUpdate(other, [other.clientID])));
    expect(awareness.getStates().has(other.clientID)).toBe(true);
    expect(socket().sent.length).toBe(before);
    // Awareness renews an unchanged state every 15 s like this.
    awareness.setLocalState(awareness.getLocalState());
    expect(socket().sent.slice(before).some((frame) => frame.kind === "awareness")).toBe(true);
    other.destroy();
  });

  it("forgets the others when the connection is lost", () => {
    const { awareness, doc, socket } = visit();
    sync(socket());
    const other = new Awareness(new Y.Doc());
    socket().say(awarenessFrame(encodeAwarenessUpdate(other, [other.clientID])));
    socket().lose();
    expect([...awareness.getStates().keys()]).toEqual([doc.clientID]);
    other.destroy();
  });

  it("sees the others again after a lost connection, though their presence has not changed", () => {
    const { awareness, provider, socket } = visit();
    const other = new Awareness(new Y.Doc());
    other.setLocalState({ user: { name: "Guest 20" } });
    const presence = awarenessFrame(encodeAwarenessUpdate(other, [other.clientID]));
    sync(socket());
    socket().say(presence);
    socket().lose();
    provider.wake();
    sync(socket());
    socket().say(presence);
    expect(awareness.getStates().has(other.clientID)).toBe(true);
    other.destroy();
  });

  it("comes back with a newer presence than before", () => {
    const { awareness, doc, provider, socket } = visit();
    awareness.setLocalState({ user: { name: "Guest 10" } });
    sync(socket());
    const before = awareness.meta.get(doc.clientID)!.clock;
    socket().lose();
    provider.wake();
    sync(socket());
    expect(awareness.meta.get(doc.clientID)!.clock).toBeGreaterThan(before);
    expect(socket().sent.some((frame) => frame.kind === "awareness")).toBe(true);
  });

  it("gives a request's answer, or the server's refusal", async () => {
    const { provider, socket } = visit();
    sync(socket());
    const first = provider.request({ type: "cancel", job: "j1" });
    const second = provider.request({ type: "cancel", job: "j2" });
    socket().say(controlFrame({ type: "error", id: 2, code: "not_found", message: "There is no job j2.", field: "job" }));
    socket().say(controlFrame({ type: "done", id: 1, message: "" }));
    await expect(first).resolves.toMatchObject({ type: "done" });
    await expect(second).rejects.toThrow("There is no job j2.");
  });

  it("refuses requests that wait when the connection is lost", async () => {
    const { provider, socket } = visit();
    sync(socket());
    const asked = provider.request({ type: "ping" });
    socket().lose();
    await expect(asked).rejects.toBeInstanceOf(RequestRefused);
    await expect(provider.request({ type: "ping" })).rejects.toThrow("no connection");
  });

  it("lives on after a frame that cannot be read", () => {
    const { provider, socket } = visit();
    sync(socket());
    vi.spyOn(console, "error").mockImplementationOnce(() => undefined);
    socket().say(new Uint8Array([0, 2, 200]));
    expect(provider.saving.kind).toBe("saved");
  });
});
