// Talks through the AI SDK, which runs tools by itself; the model's name says with which of its providers.

const { load, schema, shout, turns } = require("./talk.cjs");
const { generateText, jsonSchema, stepCountIs, streamText, tool } = load("ai");
const { createAnthropic } = load("@ai-sdk/anthropic");
const { createOpenAI } = load("@ai-sdk/openai");

// Else it refers to what reasoning models have said by ids, which only the account that said it knows.
const providerOptions = { openai: { store: false } };

// It takes no base URL from the environment for one of them.
const anthropic = createAnthropic({ baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` });
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
const messages = [];

turns(async ({ model, system }, say, stream) => {
  messages.push({ role: "user", content: say });
  const execute = async (input) => shout(input);
  const question = {
    model: model.startsWith("claude") ? anthropic(model) : openai(model),
    system,
    messages,
    providerOptions,
    tools: { shout: tool({ description: "Shouts", inputSchema: jsonSchema(schema), execute }) },
    stopWhen: stepCountIs(5),
  };
  const answer = stream ? streamText(question) : await generateText(question);
  const { messages: said } = await answer.response;
  messages.push(...said);
  return [await answer.text, (await answer.usage).cachedInputTokens];
});
