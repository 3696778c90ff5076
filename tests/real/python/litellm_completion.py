"""Talks through LiteLLM as a library, in its one dialect; which API it speaks follows from the model's name."""

import json
import os
import sys

# Else it fetches a list of prices when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
import talk

messages = []


def ask(start, stream):
    function = {"name": "shout", "description": "Shouts", "parameters": talk.SCHEMA}
    question = dict(model=start["model"], tools=[{"type": "function", "function": function}])
    question["messages"] = [{"role": "system", "content": start["system"]}] + messages
    if not stream:
        return litellm.completion(**question)
    parts = litellm.completion(**question, stream=True, stream_options={"include_usage": True})
    return litellm.stream_chunk_builder(list(parts), messages=question["messages"])


def turn(start, say, stream):
    messages.append({"role": "user", "content": say})
    while True:
        answer = ask(start, stream)
        said = answer.choices[0].message
        messages.append(said.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True))
        if not said.tool_calls:
            return said.content, answer.usage.prompt_tokens_details.cached_tokens
        for call in said.tool_calls:
            content = talk.shout(json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


talk.turns(turn, sys.stdin)
