"""What must hold in a simulated cluster once its faults are over."""

from __future__ import annotations

import asyncio

from collab.document import Document
from tests.simulation.archive import Archive
from tests.simulation.client import text_of
from tests.simulation.cluster_client import TOKEN
from tests.simulation.cluster_node import Node
from tests.simulation.cluster_world import ROOM, ClusterWorld, Replayed


async def problems(world: ClusterWorld, *, lists: bool = True) -> list[str]:
    """What is not well at the moment, in words; cheap questions first. ``lists``: also the list of nodes."""
    found = _nodes(world) or _clients(world)
    if found:
        return found
    return _texts(world) or _presence(world) or (lists and _list(world)) or await world.jobs.problems()


async def undoing(world: ClusterWorld) -> list[str]:
    """Takes one job back, and looks whether its lines went, and nothing else did."""
    if world.lost_something:
        return []  # What an undo goes by may be among what was lost.
    text = text_in(replayed(world).document)
    undone = await world.jobs.undo_one()
    if undone is None:
        return []
    job, label = undone
    world.trace("undid", job, label)
    world.meet("undone at the end")
    dropped = {line for node in world.nodes for model in node.models for line in model.dropped}
    for _ in range(20):
        await asyncio.sleep(0.5)
        if not _texts(world):
            break
    found = _texts(world)
    now = TOKEN.findall(text_in(replayed(world).document))
    mine = f"{{{label}."
    found += [f"{token} of the undone job {job} is still there" for token in now if token.startswith(mine)]
    kept = [token for token in TOKEN.findall(text) if not token.startswith(mine)]
    rest = [token for token in now if token in kept or token not in dropped]
    if rest != kept:
        found.append(f"the undo of {job} changed what others wrote: {rest} instead of {kept}")
    return found


def _nodes(world: ClusterWorld) -> list[str]:
    found = [f"node {node.number} is not up" for node in world.nodes if not node.up]
    found += [
        f"node {node.number} does not save: {node.hub.failing.message}"
        for node in world.nodes
        if node.up and node.hub.failing is not None
    ]
    return found


def _clients(world: ClusterWorld) -> list[str]:
    found = []
    for client in world.clients:
        if client.gone:
            continue
        if client.link is None or not client.synced:
            found.append(f"client {client.id} is not in sync")
        elif client.link.saved < len(client.link.sent):
            found.append(
                f"client {client.id} waits for {len(client.link.sent) - client.link.saved} edits to be saved"
            )
    return found


def _host_text(node: Node) -> str | None:
    host = node.hub._hosts.get(ROOM)
    if host is None:
        return None
    return text_in(host.document)


def text_in(document: Document) -> str:
    """The text of the file in which all write."""
    listing = document.listing()
    file = listing.by_path("a.txt")
    return document.text(file.id) if file is not None else ""


def replayed(world: ClusterWorld) -> Archive:
    """What the store has, as a new process would load it; as it was replayed last, where that is the same."""
    room = world.shared.room(ROOM)
    if room.checkpoint is world.replayed.checkpoint and room.entries is world.replayed.entries:
        return world.replayed.archive
    world.replayed.archive.close()
    archive = Archive()
    stored = room.load()
    if stored.checkpoint is not None:
        for update in [stored.checkpoint.state, *stored.checkpoint.pending]:
            archive.add(update)
    for entry in stored.entries:
        archive.add(entry.update)
    world.replayed = Replayed(room.checkpoint, room.entries, archive)
    return archive


def _texts(world: ClusterWorld) -> list[str]:
    stored = replayed(world)
    text = text_in(stored.document)
    found = _unequal(world, text)
    dropped = {line for node in world.nodes for model in node.models for line in model.dropped}
    for client in world.clients:
        if client.gone:
            continue
        missing = [line for line in client.typed if line not in text and line not in world.erased]
        lost = [line for line in missing if line not in dropped]
        if lost:
            found.append(f"client {client.id} typed {sorted(lost)}, and it is gone")
    for line, client in world.erased.items():
        # What a job had taken out as well, its undo brings back.
        if line in text and not client.gone and line not in dropped:
            found.append(f"{line!r} was deleted, and is back")
    for client in world.clients:
        if client.gone and world.met.get("older", 0) + world.met.get("empty", 0):
            continue
        for update in client.saved:
            if not stored.holds(update):
                found.append(f"an edit of client {client.id} was called saved, and the store lacks it")
                break
    return found


def _unequal(world: ClusterWorld, text: str) -> list[str]:
    found = [
        f"client {client.id} has another text than the store: {_differ(text_of(client), text)}"
        for client in world.clients
        if not client.gone and text_of(client) != text
    ]
    for node in world.nodes:
        has = _host_text(node)
        if has is not None and has != text:
            found.append(f"node {node.number} has another text than the store: {_differ(has, text)}")
    return found


def _differ(one: str, other: str) -> str:
    mine, theirs = set(one.splitlines()), set(other.splitlines())
    return f"more {sorted(mine - theirs)}, less {sorted(theirs - mine)}"


def _presence(world: ClusterWorld) -> list[str]:
    here = {int(client.id) for client in world.clients if not client.gone}
    found = [
        f"client {client.id} sees {sorted(client.others())}, here are {sorted(here)}"
        for client in world.clients
        if not client.gone and client.others() != here
    ]
    for node in world.nodes:
        host = node.hub._hosts.get(ROOM)
        if host is not None:
            seen = {int(view.client) for view in host.people()}
            if seen != here:
                found.append(f"node {node.number} sees {sorted(seen)}, here are {sorted(here)}")
    return found


def _list(world: ClusterWorld) -> list[str]:
    """The room's list: what is written is announced to who is on it, and they are asked."""
    holding = {str(node.cluster.node): node.number for node in world.nodes if ROOM in node.cluster._links}
    listed = {str(node) for node in world.shared.room(ROOM).nodes}
    found = [f"{node} is on the room's list, and does not hold it" for node in sorted(listed - set(holding))]
    return found + [f"node {holding[node]} is not on the room's list" for node in sorted(set(holding) - listed)]
