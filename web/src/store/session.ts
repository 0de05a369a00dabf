/** One visit to a room: the document, the connection, and what people do here. */
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { reduceAi } from "../ai/inbox";
import { cameSecond, type Priority } from "../ai/words";
import { fileText, observeListing, readListing } from "../files/listing";
import { withVersion, type Start } from "../history/versions";
import { worthTelling } from "../history/activity";
import type { ActivityReport, AnyEvent, AnyRequest, Answer, AnswerAll, Generate, Mode, SearchResult, SentAsk, Suggestion } from "../messages";
import { keepName, loadIdentity } from "../people/identity";
import { readParticipants, type Participant } from "../people/participants";
import { keepOfflineCopy, WaitingCount } from "../provider/offline";
import { RoomProvider } from "../provider/provider";
import { LiveTexts } from "../review/liveTexts";
import { rangeIn } from "../review/place";
import { lineStart } from "../search/hits";
import { readMode, readRules, settingsMap, writeMode, writeRules } from "./roomSettings";
import { createRoomStore, type Notice, type Panel, type RoomStore } from "./state";
import { chooseTheme, startTheme, watchSystemTheme } from "./theme";

export type JobAction = "cancel" | "pause" | "resume" | "retry" | "undo" | "redo";

const NOTICE_MS = 8_000;
const PEOPLE_MS = 100;
/** So many files a search finds at most. */
const MOST_FILES = 20;

export class RoomSession {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  readonly provider: RoomProvider;
  readonly store: RoomStore;
  readonly texts = new LiveTexts(this.doc);
  /** What this person wrote by hand for a suggestion and has not sent yet, by suggestion. */
  readonly drafts = new Map<string, string>();
  readonly #undo = new Map<string, { text: Y.Text; manager: Y.UndoManager }>();
  #lastNotice = 0;
  #peopleTimer: ReturnType<typeof setTimeout> | undefined;
  #remembered: string | null;

  /** `room` is the room's raw name, as it stands in the address. */
  constructor(readonly room: string) {
    const self = loadIdentity();
    this.store = createRoomStore(room, self, startTheme());
    this.#remembered = localStorage.getItem(this.#fileKey);
    const waiting = new WaitingCount(room);
    this.provider = new RoomProvider({
      url: () => this.#address(),
      doc: this.doc,
      awareness: this.awareness,
      waiting: waiting.read(),
      onSaving: (saving) => {
        waiting.write(saving.waiting);
        const before = this.store.getState().saving;
        if (JSON.stringify(before) !== JSON.stringify(saving)) this.store.setState({ saving });
        if (saving.kind === "saved" || saving.kind === "saving") this.#loaded();
      },
      onEvent: (event) => this.#happened(event),
      onProblem: (message) => this.notify(message, "error"),
    });
    this.#introduce();
    observeListing(this.doc, () => this.#listFiles());
    settingsMap(this.doc).observe(() => this.store.setState({ mode: readMode(this.doc), rules: readRules(this.doc) }));
    this.awareness.on("change", () => this.#peopleChanged());
    this.#peopleChanged();
    watchSystemTheme((theme) => this.store.setState({ theme }));
    this.#watchPage();
  }

  /** Loads this browser's copy, then connects. */
  async start(): Promise<void> {
    if (!(await keepOfflineCopy(this.room, this.doc))) {
      this.notify("This browser keeps no offline copy: edits that are not saved are lost when you close the page.");
    }
    if (readListing(this.doc).files.length > 0) this.#loaded();
    this.provider.connect();
  }

  // What people do

  open(file: string | null, panel: Panel | null = "editor"): void {
    this.#remembered = null;
    if (file !== null) localStorage.setItem(this.#fileKey, file);
    this.awareness.setLocalStateField("file", file);
    this.store.setState(panel ? { openFile: file, panel, center: { kind: "editor" } } : { openFile: file });
  }

  /** Opens the file of a suggestion where the suggestion stands. */
  goTo(suggestion: Suggestion): void {
    const { file } = suggestion;
    const text = file === null ? null : fileText(this.doc, file);
    if (file === null || text === null) return;
    this.open(file);
    this.store.setState({ reveal: { file, position: rangeIn(suggestion, text)?.from ?? 0 } });
  }

  /** Opens a file with the cursor at a line, from 1; null is where it was left. */
  openAt(file: string, line: number | null, focus: boolean): void {
    const text = fileText(this.doc, file);
    if (text === null) {
      this.notify("This file is not here any more.");
      return;
    }
    this.open(file);
    const position = line === null ? null : lineStart(text.toString(), line);
    this.store.setState({ reveal: { file, position, cursor: true, focus } });
  }

  /** Shows a job's changes in the middle, with what was decided about them; null goes back to the editor. */
  review(job: string | null): void {
    if (job === null) {
      this.store.setState({ center: { kind: "editor" } });
      return;
    }
    this.store.setState({ center: { kind: "review", job }, panel: "editor" });
    void this.#attempt({ type: "suggestions", all: true });
  }

  /** Shows the room's versions in the middle; null goes back to the editor. */
  showHistory(start: Start | null = {}): void {
    this.store.setState(start ? { center: { kind: "history", start }, panel: "editor" } : { center: { kind: "editor" } });
  }

  /** Shows in the middle what a model was sent for a job; null goes back to the editor. */
  showSent(job: string | null): void {
    this.store.setState(job === null ? { center: { kind: "editor" } } : { center: { kind: "sent", job }, panel: "editor" });
  }

  /** Opens the sides of a suggestion next to each other; null closes them. */
  compare(suggestion: string | null, edit = false): void {
    this.store.setState({ comparing: suggestion === null ? null : { suggestion, edit } });
  }

  toggleBlame(): void {
    this.store.setState({ blame: !this.store.getState().blame });
  }

  /** What jobs of this room do with their changes unless they are asked otherwise. */
  setMode(mode: Mode): void {
    writeMode(this.doc, mode);
  }

  /** What every job of this room is told. */
  setRules(rules: string): void {
    writeRules(this.doc, rules);
  }

  show(panel: Panel): void {
    this.store.setState({ panel });
  }

  /** Opens the file that somebody has open, at their cursor. */
  follow(person: Participant): void {
    if (person.file === null || !fileText(this.doc, person.file)) {
      this.notify(`${person.name} has no file open.`);
      return;
    }
    this.open(person.file);
    const position = this.#absolute(person.head);
    if (position !== null) this.store.setState({ reveal: { file: person.file, position } });
  }

  rename(raw: string): void {
    const name = keepName(raw);
    if (name === null) return;
    this.store.setState({ self: { ...this.store.getState().self, name } });
    this.#introduce();
    void this.#attempt({ type: "hello", name, color: this.store.getState().self.color }, true);
  }

  toggleTheme(): void {
    const theme = this.store.getState().theme === "dark" ? "light" : "dark";
    chooseTheme(theme);
    this.store.setState({ theme });
  }

  /** Asks the AI. Rejects with RequestRefused. */
  async ask(request: Omit<Generate, "type" | "id">): Promise<void> {
    await this.provider.request({ ...request, type: "generate" });
  }

  async act(job: string, action: JobAction): Promise<void> {
    await this.#attempt({ type: action, job });
  }

  /** Tells a job something further; false after saying why that was not done. */
  async steer(job: string, prompt: string): Promise<boolean> {
    return (await this.#attempt({ type: "steer", job, prompt })) !== null;
  }

  /** Gives a job that waits another place, from 1, or another priority; false after saying why that was not done. */
  async reorder(job: string, to: { position: number } | { priority: Priority }): Promise<boolean> {
    return (await this.#attempt({ type: "reorder", job, ...to })) !== null;
  }

  /** Finds files and lines; null after saying why that was not possible. */
  async search(question: string): Promise<SearchResult | null> {
    const found = await this.#attempt({ type: "search", question, most: MOST_FILES });
    return found?.type === "search_result" ? found : null;
  }

  /** What models were sent for a job, the last one at the end; or in words, why that cannot be shown. */
  async sent(job: string): Promise<SentAsk[] | string> {
    try {
      const found = await this.provider.request({ type: "sent", job });
      return found.type === "sent_result" ? found.asks : "The server said something else.";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Answers a suggestion. Resolves with null, or with why that was not done. */
  async answer(suggestion: string, choice: Answer["choice"], text = ""): Promise<string | null> {
    try {
      await this.provider.request({ type: "answer", suggestion, choice, text: choice === "edit" ? text : "" });
      return null;
    } catch (error) {
      const found = this.store.getState().ai.suggestions.find((one) => one.suggestion === suggestion);
      if (found && found.state !== "open" && found.state !== "gone") return cameSecond(found);
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Answers all open suggestions of a job, or of one of its files, and says what could not be done. */
  async answerAll(job: string, choice: AnswerAll["choice"], path: string | null = null): Promise<void> {
    const done = await this.#attempt({ type: "answer_all", job, choice, path });
    if (done?.type === "done" && done.message.includes(" Not ")) this.notify(done.message, "error");
  }

  /** Sends a request; resolves with its answer, or with null after saying why there is none. */
  async request(message: AnyRequest): Promise<AnyEvent | null> {
    return this.#attempt(message);
  }

  notify(text: string, kind: Notice["kind"] = "info"): void {
    const id = ++this.#lastNotice;
    const others = this.store.getState().notices.filter((notice) => notice.text !== text);
    this.store.setState({ notices: [...others, { id, kind, text }].slice(-4) });
    if (kind === "info") setTimeout(() => this.dismiss(id), NOTICE_MS);
  }

  dismiss(id: number): void {
    this.store.setState({ notices: this.store.getState().notices.filter((notice) => notice.id !== id) });
  }

  /** The undo history of this person's own edits in a file; kept while the page is open. */
  undoManager(file: string, text: Y.Text): Y.UndoManager {
    const known = this.#undo.get(file);
    if (known && known.text === text) return known.manager;
    known?.manager.destroy();
    const manager = new Y.UndoManager(text, { trackedOrigins: new Set() });
    this.#undo.set(file, { text, manager });
    return manager;
  }

  // What happens to the room

  #happened(event: AnyEvent): void {
    const { ai } = this.store.getState();
    const next = reduceAi(ai, event);
    if (next !== ai) this.store.setState({ ai: next });
    switch (event.type) {
      case "welcome": {
        const { version, model, models, limits } = event;
        const first = this.store.getState().server === null;
        this.store.setState({ server: { version, model, models, limits } });
        if (first) void this.#askActivity();
        if (this.store.getState().versions !== null) void this.#attempt({ type: "history" }, true);
        break;
      }
      case "version_list":
        this.store.setState({ versions: event.versions });
        break;
      case "version_added":
        this.store.setState({ versions: withVersion(this.store.getState().versions, event.version) });
        break;
    }
  }

  /** Once in a visit: what happened since this person left. */
  async #askActivity(): Promise<void> {
    const report = (await this.#attempt({ type: "activity" }, true)) as ActivityReport | null;
    if (report && worthTelling(report, this.store.getState().self.name)) this.store.setState({ activity: report });
  }

  /** Cursors move many times a second; the list of people is drawn again at most ten times. */
  #peopleChanged(): void {
    this.#peopleTimer ??= setTimeout(() => {
      this.#peopleTimer = undefined;
      this.store.setState({ people: readParticipants(this.awareness) });
    }, PEOPLE_MS);
  }

  #listFiles(): void {
    const { files, problems } = readListing(this.doc);
    this.store.setState({ files, problems });
    const { openFile, loaded } = this.store.getState();
    if (openFile !== null && !files.some((file) => file.id === openFile)) {
      this.open(null, null);
      this.notify("The file that you had open was deleted.");
    }
    if (loaded && this.store.getState().openFile === null) this.#openFirst();
  }

  /** The document is there: shows the file of the last visit, or a first one. */
  #loaded(): void {
    if (this.store.getState().loaded) return;
    this.store.setState({ loaded: true, ...readListing(this.doc) });
    this.#openFirst();
  }

  #openFirst(): void {
    const { files } = this.store.getState();
    const remembered = files.find((file) => file.id === this.#remembered);
    const readme = files.find((file) => /^readme(\.|$)/i.test(file.shown));
    const first = [...files].sort((a, b) => (a.shown < b.shown ? -1 : 1))[0];
    const file = remembered ?? readme ?? first;
    if (file) this.open(file.id, null);
  }

  // The rest

  get #fileKey(): string {
    return `pairloom.file.${this.room}`;
  }

  #address(): string {
    const { name, color } = this.store.getState().self;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const query = new URLSearchParams({ pairloom: "1", name, color });
    return `${scheme}//${location.host}/yjs/${this.room}?${query}`;
  }

  #introduce(): void {
    const { name, color } = this.store.getState().self;
    this.awareness.setLocalStateField("user", { name, color, colorLight: `${color}33`, kind: "person" });
    this.awareness.setLocalStateField("file", this.store.getState().openFile);
  }

  #absolute(head: unknown): number | null {
    if (head === null) return null;
    const relative = Y.createRelativePositionFromJSON(head);
    return Y.createAbsolutePositionFromRelativePosition(relative, this.doc)?.index ?? null;
  }

  async #attempt(request: AnyRequest, quiet = false): Promise<AnyEvent | null> {
    try {
      return await this.provider.request(request);
    } catch (error) {
      // A name that could not be sent now travels in the address of the next connection.
      if (!quiet) this.notify(error instanceof Error ? error.message : String(error), "error");
      return null;
    }
  }

  #watchPage(): void {
    addEventListener("online", () => this.provider.wake());
    addEventListener("offline", () => this.provider.probe());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.provider.wake();
    });
    addEventListener("pagehide", () => this.provider.leave());
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      this.awareness.setLocalState({});
      this.#introduce();
      this.provider.wake();
    });
  }
}
