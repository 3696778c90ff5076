// What the talking programs have in common: the first line says with whom and about what, each later one is a turn.

const { createRequire } = require("node:module");
const { createInterface } = require("node:readline");

// The packages are where `make real-tools` has put them, not beside this file.
exports.load = createRequire(`${process.env.NPM_CLIENTS}/`);

exports.schema = {
  type: "object",
  properties: { text: { type: "string" } },
  required: ["text"],
  additionalProperties: false,
};

// The only tool.
exports.shout = ({ text }) => text.toUpperCase();

exports.turns = async (turn) => {
  let start;
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    if (!start) {
      start = asked;
      continue;
    }
    const [said, read] = await turn(start, asked.say, asked.stream);
    console.log(JSON.stringify({ said, read }));
  }
};
