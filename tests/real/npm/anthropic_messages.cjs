// Talks with Claude through Anthropic's SDK.

const { load, schema, shout, turns } = require("./talk.cjs");
const { Anthropic } = load("@anthropic-ai/sdk");

const client = new Anthropic();
const messages = [];

const ask = ({ model, system }, stream) => {
  const tools = [{ name: "shout", description: "Shouts", input_schema: schema }];
  const question = { model, max_tokens: 1024, system, tools, messages };
  return stream ? client.messages.stream(question).finalMessage() : client.messages.create(question);
};

turns(async (start, say, stream) => {
  messages.push({ role: "user", content: say });
  for (;;) {
    const { content, usage } = await ask(start, stream);
    messages.push({ role: "assistant", content });
    const calls = content.filter((block) => block.type === "tool_use");
    if (calls.length === 0) return [content[0].text, usage.cache_read_input_tokens];
    const result = ({ id, input }) => ({ type: "tool_result", tool_use_id: id, content: shout(input) });
    messages.push({ role: "user", content: calls.map(result) });
  }
});
