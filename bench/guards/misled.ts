import { demonstrations, type Source, type Task } from "whetstone";
import { lastDigitOf } from "../last-digit.ts";

/** Demonstrations of which most, for some last digits, say the digit above. */
export function misled(digits: string, share: number): Source {
  const honest = demonstrations();
  const flawed = (task: Task): Task => ({
    ...task,
    demonstrate: (item, random) => {
      const digit = lastDigitOf(item.prompt);
      const wrong = digits.includes(digit) && random.uniform() < share;
      return wrong ? String((Number(digit) + 1) % 10) : task.demonstrate(item, random);
    },
  });
  return {
    ...honest,
    name: "misleading demonstrations",
    description: { digits, share },
    acquire: (context) => honest.acquire({ ...context, task: flawed(context.task) }),
    draw: (task, count, random) => honest.draw?.(flawed(task), count, random) ?? [],
  };
}
