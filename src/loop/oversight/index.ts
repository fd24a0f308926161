export { isOpen, type Question, questionId, questionNamed, questionsOf } from "./questions.ts";
export { type WaitRequest, waitForAnswer } from "./wait-for-answer.ts";
