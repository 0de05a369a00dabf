/** What the page shows. One store for each room; React reads it, the session writes it. */
import { createStore, type StoreApi } from "zustand/vanilla";
import { emptyAi, type AiState } from "../ai/inbox";
import type { Start } from "../history/versions";
import type { RoomFile } from "../files/listing";
import type { Identity } from "../people/identity";
import type { Participant } from "../people/participants";
import type { ActivityReport, Mode, ModelInfo, VersionInfo } from "../messages";
import type { SaveState } from "../provider/saving";
import type { Theme } from "./theme";

export type Panel = "files" | "editor" | "ai" | "people";

/** What stands in the middle. */
export type Center = { kind: "editor" } | { kind: "review"; job: string } | { kind: "history"; start: Start } | { kind: "sent"; job: string };

export interface Notice {
  id: number;
  kind: "info" | "error";
  text: string;
}

export interface ServerFacts {
  version: string;
  /** Null when only the offline templates answer. */
  model: string | null;
  models: ModelInfo[];
  limits: Record<string, number>;
}

export interface RoomState {
  room: string;
  /** False until the offline copy or the server's state is there. */
  loaded: boolean;
  files: RoomFile[];
  problems: string[];
  openFile: string | null;
  /** A place to show as soon as its file is open (null: where it was left), and whether cursor and focus go there. */
  reveal: { file: string; position: number | null; cursor?: boolean; focus?: boolean } | null;
  saving: SaveState;
  server: ServerFacts | null;
  self: Identity;
  people: Participant[];
  ai: AiState;
  /** What jobs do with their changes unless they are asked otherwise; the room's setting. */
  mode: Mode;
  /** What every job is told; the room's setting. */
  rules: string;
  center: Center;
  /** The suggestion whose sides are compared in the dialog. */
  comparing: { suggestion: string; edit: boolean } | null;
  /** Whether the margin shows who wrote what. */
  blame: boolean;
  /** The room's versions, newest first; null until they were asked for. */
  versions: VersionInfo[] | null;
  /** What happened since this person was here last. */
  activity: ActivityReport | null;
  notices: Notice[];
  panel: Panel;
  theme: Theme;
}

export type RoomStore = StoreApi<RoomState>;

export function createRoomStore(room: string, self: Identity, theme: Theme): RoomStore {
  return createStore<RoomState>()(() => ({
    room,
    loaded: false,
    files: [],
    problems: [],
    openFile: null,
    reveal: null,
    saving: { kind: "connecting", waiting: 0 },
    server: null,
    self,
    people: [],
    ai: emptyAi,
    mode: "auto",
    rules: "",
    center: { kind: "editor" },
    comparing: null,
    blame: false,
    versions: null,
    activity: null,
    notices: [],
    panel: "editor",
    theme,
  }));
}
