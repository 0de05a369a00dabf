/** The state of saving, as people see it. */
export type SaveState =
  | { kind: "connecting"; waiting: number }
  | { kind: "saving"; waiting: number }
  | { kind: "saved"; waiting: number }
  | { kind: "offline"; waiting: number }
  | { kind: "not_saved"; waiting: number; reason: string }
  | { kind: "ended"; waiting: number; reason: string };

export function edits(count: number): string {
  return count === 1 ? "1 edit" : `${count} edits`;
}

export function describeSaving(state: SaveState): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting…";
    case "saving":
      return "Saving…";
    case "saved":
      return "All changes saved";
    case "offline":
      return `Offline: ${edits(state.waiting)} waiting`;
    case "not_saved":
      return `Not saved: ${state.reason}`;
    case "ended":
      return state.waiting > 0 ? `Disconnected: ${edits(state.waiting)} waiting` : "Disconnected";
  }
}

export interface SavingFacts {
  /** Why the session ended for good, if it did. */
  ended: string | null;
  /** Whether a connection was ever there. */
  everConnected: boolean;
  synced: boolean;
  online: boolean;
  waiting: number;
  unsaved: boolean;
  /** Why the server does not save, if it said so. */
  refused: string | null;
}

export function saveState(facts: SavingFacts): SaveState {
  const { waiting } = facts;
  if (facts.ended !== null) return { kind: "ended", waiting, reason: facts.ended };
  if (!facts.online) {
    return { kind: facts.everConnected || waiting > 0 ? "offline" : "connecting", waiting };
  }
  if (facts.refused !== null) return { kind: "not_saved", waiting, reason: facts.refused };
  if (!facts.synced) return { kind: "connecting", waiting };
  return { kind: facts.unsaved ? "saving" : "saved", waiting };
}
