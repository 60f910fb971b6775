/** How sites say that a page does not exist. The number 404 alone proves nothing: articles are about it. */

const phrases: Record<string, RegExp> = {
  en: /\b(page|file|product|article|item|content) (is |was |could |can ?)?not (be )?found\b|^(error )?(404\W+)?not found\b|\b(page|product|article|item)\b.{0,30}\b(does ?n[o']t|no longer) exists?\b/i,
  de: /\b(seite|datei|artikel|produkt)\b.{0,20}\bnicht (gefunden|vorhanden)\b|^nicht gefunden\b/i,
  fr: /\bpage\b.{0,20}\b(introuvable|non trouvée|inexistante|n'existe (pas|plus))/i,
  es: /\bpágina\b.{0,20}\b(no encontrada|no existe)\b/i,
  it: /\bpagina\b.{0,20}\bnon (è stata )?(trovata|esiste)/i,
  nl: /\bpagina\b.{0,20}\b(niet gevonden|bestaat niet)\b/i,
  pt: /\bpágina\b.{0,20}\bnão (foi )?(encontrada|existe)\b/i,
  pl: /nie znaleziono strony|strona nie istnieje/i,
  ja: /ページ(が|は)(見つかりません|存在しません)/,
  ru: /страница не (найдена|существует)/i,
}

/** Whether a title or headline is a missing page's, in the page's language or in English. */
export function matchesNotFound(text: string, language: string): boolean {
  if (text.length > 90) return false
  const own = phrases[language.slice(0, 2).toLowerCase()]
  return (phrases.en as RegExp).test(text) || (own?.test(text) ?? false)
}
