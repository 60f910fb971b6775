/** Query parameters that name the visit or the visitor, never the page. */

const trackingPrefixes = ['utm_', 'mtm_', 'matomo_', 'pk_', 'piwik_', 'itm_']

const trackingNames = new Set(
  (
    'gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid srsltid _ga _gl _gac fbclid fb_action_ids fb_ref ' +
    'fb_source igshid igsh msclkid yclid ysclid _openstat twclid ttclid li_fat_id epik rdt_cid sccid mc_cid mc_eid ' +
    'ml_subscriber ml_subscriber_hash mkt_tok _hsenc _hsmi __hssc __hstc __hsfp hsctatracking vero_id _kx ' +
    'oly_anon_id oly_enc_id s_kwcid s_cid ef_id irclickid cjevent dicbo tblci wickedid awclid'
  ).split(' '),
)

const sessionNames = new Set(['jsessionid', 'phpsessid', 'cfid', 'cftoken'])

/** Only when their value proves to change between visits: they are often functional. */
const suspectedSessionNames = new Set(['sid', 'sessionid', 'session_id'])

/** True for a parameter that is always dropped; `name` in lower case. */
export function isVisitParam(name: string): boolean {
  return (
    trackingNames.has(name) ||
    sessionNames.has(name) ||
    name.startsWith('aspsessionid') ||
    trackingPrefixes.some(prefix => name.startsWith(prefix))
  )
}

/**
 * Names of `sid`-like parameters that are session ids on this site: given the absolute hrefs of two cookie-less visits
 * to one page, those whose long value differs while the rest of the URL is the same.
 */
export function findSessionParams(firstVisit: readonly string[], secondVisit: readonly string[]): string[] {
  const before = new Map<string, string>()
  for (const [slot, value] of suspectedValues(firstVisit)) before.set(slot, value)
  const found = new Set<string>()
  for (const [slot, value] of suspectedValues(secondVisit)) {
    const earlier = before.get(slot)
    if (earlier !== undefined && earlier !== value) found.add(slot.slice(0, slot.indexOf(' ')))
  }
  return [...found].sort()
}

function* suspectedValues(hrefs: readonly string[]): Generator<[slot: string, value: string]> {
  for (const href of hrefs) {
    if (!URL.canParse(href)) continue
    const url = new URL(href)
    for (const [name, value] of [...url.searchParams]) {
      const lower = name.toLowerCase()
      if (!suspectedSessionNames.has(lower) || !/^[a-z0-9]{16,}$/i.test(value)) continue
      const rest = new URL(url)
      rest.searchParams.delete(name)
      yield [`${lower} ${rest.href}`, value]
    }
  }
}
