"""Sends requests with the official SDKs and tells what they expose of each answer.

One order a line on standard input, as JSON: `base` (the gateway), `dialect`, `stream`, `headers`. One answer a line on standard
output: `id`, and `counts`, the usage in one convention whatever the dialect (`null` where the SDK exposes nothing); `forms`, the
same usage written in every dialect with the SDKs' own types; `invalid`, what is wrong with the usage by the SDK's strict types.
Or `error`, where the SDK raises one.
"""

import functools
import json
import sys

import anthropic
import openai
from anthropic.types import CacheCreation, Usage
from openai.types import CompletionUsage
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails
from openai.types.responses import ResponseUsage
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

ASKED = [{"role": "user", "content": "hi"}]


@functools.cache
def speaking(kind, base):
    """A client of this gateway; making one takes longer than a request."""
    return kind(base_url=base, api_key="test", max_retries=0)


def messages(order):
    client = speaking(anthropic.Anthropic, order["base"])
    asked = {"model": "m", "max_tokens": 16, "messages": ASKED, "extra_headers": order["headers"]}
    if not order["stream"]:
        answer = client.messages.create(**asked)
    else:
        with client.messages.stream(**asked) as stream:
            answer = stream.get_final_message()
    return answer.id, answer.usage


def chat(order):
    client = speaking(openai.OpenAI, order["base"] + "/v1")
    asked = {"model": "m", "messages": ASKED, "extra_headers": order["headers"]}
    if not order["stream"]:
        answer = client.chat.completions.create(**asked)
        return answer.id, answer.usage
    found, usage = None, None
    for chunk in client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **asked):
        found = found or chunk.id
        usage = usage_of(chunk) or usage
    return found, usage


def usage_of(chunk):
    """Where OpenAI has it, or where Groq and Moonshot do; what the SDK does not know, it keeps as it came."""
    beside = getattr(chunk, "x_groq", None) or {}
    inside = next((getattr(choice, "usage", None) for choice in chunk.choices), None)
    told = chunk.usage or beside.get("usage") or inside
    return CompletionUsage.construct(**told) if isinstance(told, dict) else told


def responses(order):
    client = speaking(openai.OpenAI, order["base"] + "/v1")
    asked = {"model": "m", "input": "hi", "extra_headers": order["headers"]}
    if not order["stream"]:
        answer = client.responses.create(**asked)
        return answer.id, answer.usage
    ends = ("response.completed", "response.incomplete", "response.failed")
    for event in client.responses.create(stream=True, **asked):
        if event.type in ends:
            answer = event.response
    return answer.id, answer.usage


def member(value, *names):
    """A member that may not be there, at any level: the SDKs leave out what did not come."""
    for name in names:
        value = getattr(value, name, None)
    return value


def exclusive(usage):
    """The counts of an answer to messages."""
    parts = [member(usage, name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
    return {
        "input": sum(part or 0 for part in parts),
        "uncached": parts[0],
        "read": parts[1],
        "write": parts[2],
        "write_5m": member(usage, "cache_creation", "ephemeral_5m_input_tokens"),
        "write_1h": member(usage, "cache_creation", "ephemeral_1h_input_tokens"),
        "output": member(usage, "output_tokens"),
        "reasoning": member(usage, "output_tokens_details", "thinking_tokens"),
    }


def inclusive(usage, asked, answered):
    """The counts of an answer in one of OpenAI's dialects; the names of the writes must agree."""
    all_of_it = member(usage, f"{asked}_tokens")
    read = member(usage, f"{asked}_tokens_details", "cached_tokens")
    write = member(usage, f"{asked}_tokens_details", "cache_write_tokens")
    if write != member(usage, f"{asked}_tokens_details", "caching_tokens"):
        raise ValueError(f"two names of what was written differ: {usage}")
    output = member(usage, f"{answered}_tokens")
    total = member(usage, "total_tokens")
    if total is not None and total != all_of_it + output:
        raise ValueError(f"the total is another one: {usage}")
    return {
        "input": all_of_it,
        "uncached": all_of_it - (read or 0) - (write or 0),
        "read": read,
        "write": write,
        "output": output,
        "reasoning": member(usage, f"{answered}_tokens_details", "reasoning_tokens"),
    }


def known(model, **members):
    """A value of an SDK's type without the members that are not known."""
    return model.construct(**{name: value for name, value in members.items() if value is not None})


def forms(counts):
    """The same counts in every dialect, each as JSON."""
    read, write, thought = counts["read"], counts["write"], counts["reasoning"]
    total = None if counts["output"] is None else counts["input"] + counts["output"]
    five, hour = counts.get("write_5m"), counts.get("write_1h")
    split = {} if five is None else {"cache_creation": CacheCreation(ephemeral_5m_input_tokens=five, ephemeral_1h_input_tokens=hour)}
    thinking = {} if thought is None else {"output_tokens_details": {"thinking_tokens": thought}}
    written = {
        "messages": known(
            Usage,
            input_tokens=counts["uncached"],
            cache_read_input_tokens=read,
            cache_creation_input_tokens=write,
            output_tokens=counts["output"],
            **split,
            **thinking,
        ),
        "chat": known(
            CompletionUsage,
            prompt_tokens=counts["input"],
            completion_tokens=counts["output"],
            total_tokens=total,
            prompt_tokens_details=known(PromptTokensDetails, cached_tokens=read, cache_write_tokens=write),
            completion_tokens_details=known(CompletionTokensDetails, reasoning_tokens=thought),
        ),
        "responses": known(
            ResponseUsage,
            input_tokens=counts["input"],
            input_tokens_details=known(InputTokensDetails, cached_tokens=read, cache_write_tokens=write),
            output_tokens=counts["output"],
            output_tokens_details=known(OutputTokensDetails, reasoning_tokens=thought),
            total_tokens=total,
        ),
    }
    return {dialect: usage.model_dump(exclude_unset=True) for dialect, usage in written.items()}


def invalid(usage):
    """What the SDK's own type says of this usage when it is asked to be strict."""
    try:
        type(usage).model_validate(usage.model_dump(exclude_unset=True), strict=True)
    except ValueError as problem:
        return str(problem)
    return None


READERS = {
    "messages": (messages, exclusive),
    "chat": (chat, lambda usage: inclusive(usage, "prompt", "completion")),
    "responses": (responses, lambda usage: inclusive(usage, "input", "output")),
}


def answer(order):
    send, read = READERS[order["dialect"]]
    try:
        found, usage = send(order)
    except Exception as error:  # Of a stream that breaks off the SDKs raise whatever they stumble over.
        return {"error": f"{type(error).__name__}: {error}"}
    if usage is None:
        return {"id": found, "counts": None}
    try:
        counts = read(usage)
    except (TypeError, ValueError) as error:  # A count that is missing, or not what the others say.
        return {"error": f"{type(error).__name__}: {error}"}
    return {"id": found, "counts": counts, "forms": forms(counts), "invalid": invalid(usage)}


if __name__ == "__main__":
    print(json.dumps({"anthropic": anthropic.__version__, "openai": openai.__version__}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
