/** What the page shows. One store for each room; React reads it, the session writes it. */
import { createStore, type StoreApi } from "zustand/vanilla";
import { emptyAi, type AiState } from "../ai/inbox";
import type { RoomFile } from "../files/listing";
import type { Identity } from "../people/identity";
import type { Participant } from "../people/participants";
import type { SaveState } from "../provider/saving";
import type { Theme } from "./theme";

export type Panel = "files" | "editor" | "ai" | "people";

export interface Notice {
  id: number;
  kind: "info" | "error";
  text: string;
}

export interface ServerFacts {
  version: string;
  /** Null when only the offline templates answer. */
  model: string | null;
  limits: Record<string, number>;
}

export interface RoomState {
  room: string;
  /** False until the offline copy or the server's state is there. */
  loaded: boolean;
  files: RoomFile[];
  problems: string[];
  openFile: string | null;
  /** A place to show as soon as its file is open. */
  reveal: { file: string; position: number } | null;
  saving: SaveState;
  server: ServerFacts | null;
  self: Identity;
  people: Participant[];
  ai: AiState;
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
    notices: [],
    panel: "editor",
    theme,
  }));
}
