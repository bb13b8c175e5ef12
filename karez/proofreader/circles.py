"""Circles in a set of links: which names lead back to themselves. Holds nothing about figures."""

from collections.abc import Iterator, Mapping, Sequence


def circles(links: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """The groups of names that reach each other, and single names that link to themselves; in linear time, no
    recursion.

    Tarjan's strongly connected components with a stack of our own, so that a chain of any length is walked.
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    inside: set[str] = set()
    found: list[tuple[str, ...]] = []

    def enter(name: str) -> tuple[str, Iterator[str]]:
        order[name] = lowest[name] = len(order)
        waiting.append(name)
        inside.add(name)
        return name, iter(links[name])

    for start in links:
        if start in order:
            continue
        walk = [enter(start)]
        while walk:
            name, rest = walk[-1]
            following = next((n for n in rest if n in links and (n not in order or n in inside)), None)
            if following is not None and following not in order:
                walk.append(enter(following))
                continue
            if following is not None:
                lowest[name] = min(lowest[name], order[following])
                continue
            walk.pop()
            if walk:
                lowest[walk[-1][0]] = min(lowest[walk[-1][0]], lowest[name])
            if lowest[name] == order[name]:
                group = [waiting.pop()]
                while group[-1] != name:
                    group.append(waiting.pop())
                inside.difference_update(group)
                if len(group) > 1 or name in links[name]:
                    found.append(tuple(reversed(group)))
    return found
