import { auditStage } from "./audit.ts";
import { certify, certifyAudit, type Promotion } from "./certify.ts";
import { leadCheckpoint, type RoundContext } from "./context.ts";

/** Once a promotion is stored: its certificate, the audit against the champion before, and that audit in the certificate. */
export async function certifyAndAudit(
  context: RoundContext,
  round: number,
  promotion: Promotion,
): Promise<void> {
  const { candidate, champion } = promotion;
  await certify(context, round, promotion);
  await auditStage(context, round, "previous-champion", champion, candidate);
  const checkpoint = leadCheckpoint(context, candidate);
  await certifyAudit(context, { round, checkpoint }, "previous-champion");
}
