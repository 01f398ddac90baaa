import type { Tool } from '../../../contract/ports/index.ts';
import { analyseDocumentTool } from './analyse-document.ts';
import { auditComplianceTool } from './audit-compliance.ts';
import { checkRegulationTool } from './check-regulation.ts';
import { reviewContractTool } from './review-contract.ts';
import type { DocumentPort } from './source.ts';

/** The tools of the legal agent. */
export const createLegalTools = ({ documents }: { documents: DocumentPort }): Tool[] => [
  auditComplianceTool(documents),
  analyseDocumentTool(documents),
  checkRegulationTool(),
  reviewContractTool(documents),
];
