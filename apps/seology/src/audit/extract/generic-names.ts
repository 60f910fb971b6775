/** Link names that say nothing about the destination, by language; after Lighthouse's audit of link texts. */

import { fold } from './text.ts'

const names: Record<string, string> = {
  en: 'click here|click this|go|here|information|learn more|more|more info|more information|read more|right here|see more|start|this|this link|this page|link|details|view|view more|find out more|continue|continue reading',
  de: 'hier|hier klicken|klicken sie hier|klick hier|mehr|mehr erfahren|mehr lesen|mehr informationen|weiter|weiterlesen|weitere informationen|link|details|ansehen',
  fr: "cliquez ici|cliquer ici|ici|en savoir plus|lire la suite|lire plus|plus|plus d'informations|plus d'infos|voir plus|suite|lien|découvrir",
  es: 'click aquí|click aqui|clic aquí|clicka aquí|haz clic aquí|aquí|aqui|más|más información|leer más|ver más|saber más|enlace|continuar',
  it: 'clicca qui|qui|di più|scopri di più|leggi di più|leggi tutto|continua|continua a leggere|vai|altro|maggiori informazioni',
  nl: 'klik hier|hier|meer|meer informatie|lees meer|lees verder|verder|link|bekijk',
  pt: 'clique aqui|aqui|mais|saiba mais|ler mais|leia mais|ver mais|mais informações|continuar|link',
  pl: 'kliknij tutaj|tutaj|więcej|czytaj więcej|zobacz więcej|dowiedz się więcej',
  sv: 'klicka här|här|mer|läs mer|mer information|se mer',
  da: 'klik her|her|mere|læs mere|mere information|se mere',
  ja: 'ここをクリック|こちらをクリック|リンク|続きを読む|続く|詳細|詳しく|詳細はこちら|こちら|もっと見る',
  ru: 'нажмите здесь|здесь|тут|подробнее|далее|читать далее|ещё|еще|ссылка',
  zh: '点击这里|点击此处|这里|更多|了解更多|阅读更多|查看更多|链接|详情',
}

const sets = new Map<string, Set<string>>()

/** Whether a link name is generic in the page's language or in English. */
export function isGenericName(name: string, language: string): boolean {
  if (name.length > 40) return false
  const bare = fold(name.replace(/[\p{P}\p{S}]+$|^[\p{P}\p{S}]+/gu, ''))
  const primary = language.slice(0, 2).toLowerCase()
  return setFor('en').has(bare) || (primary !== 'en' && setFor(primary).has(bare))
}

function setFor(language: string): Set<string> {
  let set = sets.get(language)
  if (!set) sets.set(language, (set = new Set((names[language] ?? '').split('|').map(fold))))
  return set
}
