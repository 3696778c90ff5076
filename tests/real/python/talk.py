"""What the talking programs have in common: the first line says with whom and about what, each later one is a turn."""

import json

SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}


def shout(arguments):
    """The only tool."""
    return arguments["text"].upper()


def turns(turn, lines):
    start = json.loads(next(lines))
    for line in lines:
        asked = json.loads(line)
        said, read = turn(start, asked["say"], asked["stream"])
        print(json.dumps({"said": said, "read": read}), flush=True)
