"""Talks through OpenAI's SDK, chat completions."""

import json
import sys

import openai
import talk

client = openai.OpenAI()
messages = []


def ask(start, stream):
    function = {"name": "shout", "description": "Shouts", "parameters": talk.SCHEMA, "strict": True}
    question = dict(model=start["model"], tools=[{"type": "function", "function": function}])
    question["messages"] = [{"role": "system", "content": start["system"]}] + messages
    if not stream:
        return client.chat.completions.create(**question)
    with client.chat.completions.stream(**question, stream_options={"include_usage": True}) as answer:
        return answer.until_done().get_final_completion()


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
