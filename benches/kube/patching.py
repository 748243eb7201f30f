"""JSON patches (RFC 6902) as an API server applies them to a pod, so far as webhooks write them."""

import copy


def apply(patch, document):
    document = copy.deepcopy(document)
    for step in patch:
        where = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        parent = document
        for part in where[:-1]:
            parent = parent[int(part)] if isinstance(parent, list) else parent[part]
        change(parent, where[-1], step)
    return document


def change(parent, last, step):
    at = last if isinstance(parent, dict) else len(parent) if last == "-" else int(last)
    if step["op"] == "add" and isinstance(parent, list):
        if at > len(parent):
            raise ValueError(f"{step['path']}: behind the list's end")
        parent.insert(at, step["value"])
    elif step["op"] == "add":
        parent[at] = step["value"]
    elif step["op"] == "replace":
        parent[at]  # has to be there
        parent[at] = step["value"]
    elif step["op"] == "remove":
        del parent[at]
    else:
        raise ValueError(f"{step['op']}: no operation that is known here")
