"""CREATE_PIPELINE as a test compares it: commands, names and values of what was logged."""

import re
import xml.etree.ElementTree as ET

ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def local(element):
    return element.tag.rpartition("}")[2]


def named(element):
    """The properties of an object, adapted and extended alike."""
    return {
        child.get("N"): child
        for group in element
        if local(group) in ("MS", "Props")
        for child in group
        if child.get("N")
    }


def text(raw):
    return ESCAPE.sub(lambda m: chr(int(m[1], 16)), raw or "")


def value(element):
    """Simple values as themselves, lists and dictionaries of them, all else by its properties."""
    kind = local(element)
    if kind == "Nil":
        return None
    if kind == "B":
        return element.text == "true"
    if kind in ("I32", "I64", "By", "I16"):
        return int(element.text)
    if kind == "SS":
        return {"secure": element.text}
    if kind != "Obj":
        return text(element.text)
    for child in element:
        if local(child) in ("LST", "IE", "QUE", "STK"):
            return [value(item) for item in child]
        if local(child) == "DCT":
            pairs = (named_pair(entry) for entry in child)
            return {key: item for key, item in pairs}
        if local(child) in ("I32", "S", "B", "SS") and child.get("N") is None:
            return value(child)
    return {name: value(child) for name, child in named(element).items()}


def named_pair(entry):
    sides = {side.get("N"): value(side) for side in entry}
    return str(sides["Key"]), sides["Value"]


def statements(clixml):
    """[[(name of the command, is it a script, [(name of the argument, value)…])…]…]"""
    top = named(ET.fromstring(clixml))
    shell = named(top["PowerShell"])
    lists = [shell["Cmds"]]
    extra = shell.get("ExtraCmds")
    if extra is not None and local(extra) == "Obj":
        more = [named(item)["Cmds"] for group in extra if local(group) == "LST" for item in group]
        lists = more or lists
    return [[command(c) for group in one if local(group) == "LST" for c in group] for one in lists]


def command(element):
    about = named(element)
    arguments = []
    for group in about["Args"]:
        if local(group) == "LST":
            for argument in group:
                pair = named(argument)
                arguments.append((value(pair["N"]), value(pair["V"])))
    return value(about["Cmd"]), value(about["IsScript"]), arguments


def facts(clixml):
    """The rest of a pipeline: flags, history, host."""
    return {name: value(item) for name, item in named(ET.fromstring(clixml)).items()}
