import { useQueries } from '@tanstack/react-query';
import { useOrg } from '@/features/tenancy/queries';
import { templateVariablesQuery } from '../templates';
import type { DraftValues } from './draft';
import { startingVariables } from './variables';

interface WantedValues {
  /** The draft with everything in it that its templates ask for, empty where nobody has filled it in yet. */
  values: DraftValues;
  /** As long as a template has not told what it asks for, nobody knows whether something is missing. */
  isLoading: boolean;
  /** It could not be asked; the page of its values says why. */
  isFailed: boolean;
}

/** A template just chosen has values to be filled in that the draft does not know of yet. */
export function useWantedValues(draft: DraftValues): WantedValues {
  const { orgId } = useOrg();
  const ids = [...new Set(draft.variants.flatMap(({ template_id }) => template_id ?? []))];
  const answers = useQueries({ queries: ids.map((id) => templateVariablesQuery(orgId, id)) });
  const variants = draft.variants.map((variant) => {
    const asked = answers[ids.indexOf(variant.template_id ?? '')]?.data;
    return asked ? { ...variant, variables: startingVariables(asked, variant.variables) } : variant;
  });
  return {
    values: { ...draft, variants },
    isLoading: answers.some(({ isPending }) => isPending),
    isFailed: answers.some(({ isLoadingError }) => isLoadingError),
  };
}
