// Talks through OpenAI's SDK, chat completions.

const { load, schema, shout, turns } = require("./talk.cjs");
const { OpenAI } = load("openai");

const client = new OpenAI();
const messages = [];

const ask = ({ model, system }, stream) => {
  const shouting = { name: "shout", description: "Shouts", parameters: schema, strict: true };
  const tools = [{ type: "function", function: shouting }];
  const question = { model, tools, messages: [{ role: "system", content: system }, ...messages] };
  if (!stream) return client.chat.completions.create(question);
  return client.chat.completions
    .stream({ ...question, stream_options: { include_usage: true } })
    .finalChatCompletion();
};

turns(async (start, say, stream) => {
  messages.push({ role: "user", content: say });
  for (;;) {
    const { choices, usage } = await ask(start, stream);
    const { role, content, tool_calls } = choices[0].message;
    if (!tool_calls?.length) {
      messages.push({ role, content });
      return [content, usage.prompt_tokens_details.cached_tokens];
    }
    messages.push({ role, content, tool_calls: tool_calls.map(plain) });
    for (const call of tool_calls) {
      messages.push({ role: "tool", tool_call_id: call.id, content: shout(JSON.parse(call.function.arguments)) });
    }
  }
});

// A stream's helper adds members of its own.
const plain = ({ id, type, function: { name, arguments: text } }) => ({ id, type, function: { name, arguments: text } });
