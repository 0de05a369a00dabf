/** Hands the session to the components. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { RoomSession } from "./session";
import type { RoomState } from "./state";

export const SessionContext = createContext<RoomSession | null>(null);

export function useSession(): RoomSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error("There is no session around this component.");
  return session;
}

/** A part of the room's state; the component is drawn again when that part changes. */
export function useRoom<T>(select: (state: RoomState) => T): T {
  return useStore(useSession().store, select);
}
