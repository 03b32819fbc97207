/** The languages Meta takes templates in (its "supported languages", spelled its way: underscores, not hyphens). */
const codes =
  'af sq ar ar_AE ar_EG ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr cs da prs_AF nl nl_BE en en_AE en_AU en_CA en_GB en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_US en_ZA et fil fi fr fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT de_CH el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR es_CL es_CO es_CR es_DO es_EC es_ES es_HN es_MX es_PA es_PE es_UY sw sv ta te th tr uk ur uz vi zu'.split(
    ' ',
  );

const names = new Intl.DisplayNames(['en'], { type: 'language', languageDisplay: 'standard' });

export function languageName(code: string): string {
  try {
    return names.of(code.replaceAll('_', '-')) ?? code;
  } catch {
    return code;
  }
}

/** For a select: by name, and a code of Meta's that is not on our list keeps its place. */
export function languageOptions(current?: string): { value: string; label: string }[] {
  const all = current && !codes.includes(current) ? [...codes, current] : codes;
  return all
    .map((value) => ({ value, label: `${languageName(value)} (${value})` }))
    .sort((a, b) => a.label.localeCompare(b.label));
}
