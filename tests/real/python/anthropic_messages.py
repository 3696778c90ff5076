"""Talks with Claude through Anthropic's SDK: a line of JSON in for each turn, one out."""

import sys

import anthropic
import talk

client = anthropic.Anthropic()
messages = []


def ask(start, stream):
    question = dict(model=start["model"], max_tokens=1024, system=start["system"], messages=messages)
    question["tools"] = [{"name": "shout", "description": "Shouts", "input_schema": talk.SCHEMA}]
    if not stream:
        return client.messages.create(**question)
    with client.messages.stream(**question) as answer:
        return answer.get_final_message()


def turn(start, say, stream):
    messages.append({"role": "user", "content": say})
    while True:
        answer = ask(start, stream)
        messages.append({"role": "assistant", "content": answer.content})
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            usage = answer.usage
            return answer.content[0].text, usage.cache_read_input_tokens
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": talk.shout(call.input)}
            for call in calls
        ]
        messages.append({"role": "user", "content": results})


talk.turns(turn, sys.stdin)
