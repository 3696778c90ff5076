"""Talks through OpenAI's SDK, responses: the whole conversation in each request, nothing kept at the provider."""

import json
import sys

import openai
import talk

client = openai.OpenAI()
items = []


def ask(start, stream):
    tool = {"type": "function", "name": "shout", "description": "Shouts", "strict": True}
    question = dict(model=start["model"], instructions=start["system"], input=items, store=False)
    question["tools"] = [tool | {"parameters": talk.SCHEMA}]
    if not stream:
        return client.responses.create(**question)
    with client.responses.stream(**question) as answer:
        return answer.until_done().get_final_response()


def plain(item):
    """The helper of streams adds members of its own, which the provider does not know."""
    parts = {part: {"parsed"} for part in range(len(getattr(item, "content", None) or []))}
    return item.model_dump(exclude={"content": parts, "parsed_arguments": True}, exclude_unset=True)


def turn(start, say, stream):
    items.append({"role": "user", "content": say})
    while True:
        answer = ask(start, stream)
        items.extend(plain(item) for item in answer.output)
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return answer.output_text, answer.usage.input_tokens_details.cached_tokens
        for call in calls:
            output = talk.shout(json.loads(call.arguments))
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": output})


talk.turns(turn, sys.stdin)
