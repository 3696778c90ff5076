// Talks through OpenAI's SDK, responses: the whole conversation in each request, nothing kept at the provider.

const { load, schema, shout, turns } = require("./talk.cjs");
const { OpenAI } = load("openai");

const client = new OpenAI();
const items = [];

const ask = ({ model, system }, stream) => {
  const tools = [{ type: "function", name: "shout", description: "Shouts", parameters: schema, strict: true }];
  const question = { model, instructions: system, tools, input: items, store: false };
  return stream ? client.responses.stream(question).finalResponse() : client.responses.create(question);
};

turns(async (start, say, stream) => {
  items.push({ role: "user", content: say });
  for (;;) {
    const { output, output_text, usage } = await ask(start, stream);
    items.push(...output.map(plain));
    const calls = output.filter((item) => item.type === "function_call");
    if (calls.length === 0) return [output_text, usage.input_tokens_details.cached_tokens];
    for (const call of calls) {
      items.push({ type: "function_call_output", call_id: call.call_id, output: shout(JSON.parse(call.arguments)) });
    }
  }
});

// The helper of streams adds members of its own, which the provider does not know.
const plain = (item) => JSON.parse(JSON.stringify(item, (name, value) => (name.startsWith("parsed") ? undefined : value)));
