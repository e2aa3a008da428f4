import { describeProgram } from "./program-suite.ts";

describeProgram("gemini");
