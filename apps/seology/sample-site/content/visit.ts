/** How to get here, in three languages that ought to point to one another. */

import { figure, type Origins, type Page, paragraphs } from '../page.ts'

type Alternate = [code: string, path: string]

function alternates(...list: Alternate[]): (origins: Origins) => string {
  return ({ own }) =>
    list.map(([code, path]) => `<link rel="alternate" hreflang="${code}" href="${own}${path}">`).join('\n')
}

export const visitPages: Page[] = [
  {
    path: '/visit/en',
    title: 'How to find the studio – Kiln & Clay',
    description:
      'By train, by bicycle or by car: how to get to Tannery Yard, and what to do once you are here.',
    image: 'visit',
    // `UK` is no country code.
    headAfter: alternates(
      ['en', '/visit/en'],
      ['en-UK', '/visit/en'],
      ['de', '/visit/de'],
      ['fr', '/visit/fr'],
    ),
    defects: ['hreflang-invalid'],
    main: () => `<h1>How to find us</h1>
${figure('visit', 'Map of the way from the station to the yard')}
${paragraphs(
  'The train from the city takes forty minutes and runs every half hour. Leave the station by the back, cross the brook on the footbridge and follow it upstream; after ten minutes you will see a chimney with nothing below it but a low roof. That is the kiln. The gate is green and usually open.',
  'By bicycle, take the path along the canal, which is flat. By car, follow the signs to the church and leave the car there: Tannery Yard is narrow, and the baker needs it. There are two places for guests who cannot walk far. The bus stops at the bridge, twice a day, in a manner that suits nobody.',
  'We are open from Wednesday to Sunday, from ten to five. On the days before Christmas it is full, and in February it is cold; the best time is a weekday in spring, when the lime tree is in flower and somebody is always glad of an excuse to put the kettle on. Dogs are welcome if they do not wag their tails at the height of the lowest shelf. Groups of more than six should tell us beforehand, so that there are enough chairs.',
)}
<p>Deutsch: <a href="/visit/de" hreflang="de" lang="de">So finden Sie uns</a> · Français : <a href="/visit/fr" hreflang="fr" lang="fr">Comment venir</a></p>`,
  },
  {
    path: '/visit/de',
    title: 'So finden Sie die Werkstatt – Kiln & Clay',
    description: 'Mit dem Zug, dem Rad oder dem Auto: der Weg in den Gerberhof, und was Sie dort erwartet.',
    image: 'visit',
    lang: 'de',
    // Italian is promised, but what is named redirects to the shop; French is forgotten.
    headAfter: alternates(['en', '/visit/en'], ['de', '/visit/de'], ['it', '/catalogue']),
    defects: ['hreflang-target-bad'],
    main: () => `<h1>So finden Sie uns</h1>
${figure('visit', 'Plan des Weges vom Bahnhof zum Hof')}
${paragraphs(
  'Der Zug aus der Stadt braucht vierzig Minuten und fährt jede halbe Stunde. Verlassen Sie den Bahnhof nach hinten hinaus, überqueren Sie den Bach auf dem Steg und folgen Sie ihm aufwärts; nach zehn Minuten sehen Sie einen Schornstein, unter dem nur ein niedriges Dach zu stehen scheint. Das ist der Ofen. Das Tor ist grün und meistens offen.',
  'Mit dem Rad nehmen Sie den Weg am Kanal, der eben ist. Mit dem Auto folgen Sie den Schildern zur Kirche und lassen es dort stehen: Der Gerberhof ist eng, und der Bäcker braucht ihn. Für Gäste, die schlecht zu Fuß sind, gibt es zwei Plätze im Hof. Der Bus hält an der Brücke, zweimal am Tag, und so, dass es niemandem passt.',
  'Geöffnet ist von Mittwoch bis Sonntag, von zehn bis siebzehn Uhr. Vor Weihnachten ist es voll, im Februar kalt; am schönsten ist es an einem Werktag im Frühling, wenn die Linde blüht und immer jemand froh ist, einen Grund für eine Kanne Tee zu haben. Hunde sind willkommen, wenn sie nicht in der Höhe des untersten Regals wedeln. Gruppen von mehr als sechs Leuten sagen bitte vorher Bescheid, damit genug Stühle da sind. Wer etwas abholen möchte, klopft am besten ans Fenster links vom Tor.',
)}
<p>English: <a href="/visit/en" hreflang="en" lang="en">How to find us</a></p>`,
  },
  {
    path: '/visit/fr',
    title: 'Comment trouver l’atelier – Kiln & Clay',
    description:
      'En train, à vélo ou en voiture : le chemin de la cour des Tanneurs, et ce qui vous y attend.',
    image: 'visit',
    lang: 'fr',
    headAfter: alternates(['en', '/visit/en'], ['de', '/visit/de'], ['fr', '/visit/fr']),
    defects: ['hreflang-no-return'],
    main: () => `<h1>Comment venir</h1>
${figure('visit', 'Plan du chemin de la gare à la cour')}
${paragraphs(
  'Le train met quarante minutes depuis la ville et passe toutes les demi-heures. Sortez de la gare par l’arrière, traversez le ruisseau sur la passerelle et remontez-le ; au bout de dix minutes, vous verrez une cheminée sous laquelle il n’y a qu’un toit très bas. C’est le four. Le portail est vert et, le plus souvent, ouvert.',
  'À vélo, prenez le chemin du canal, qui est plat. En voiture, suivez les panneaux de l’église et laissez la voiture là-bas : la cour est étroite, et le boulanger en a besoin. Deux places sont gardées pour les visiteurs qui marchent avec peine. Le bus s’arrête au pont deux fois par jour, à des heures qui ne conviennent à personne.',
  'Nous sommes ouverts du mercredi au dimanche, de dix heures à dix-sept heures. Avant Noël il y a foule, en février il fait froid ; le meilleur moment est un jour de semaine au printemps, quand le tilleul est en fleur et que quelqu’un cherche toujours une raison de faire du thé. Les chiens sont les bienvenus, pourvu que leur queue ne soit pas à la hauteur de l’étagère du bas. Au-delà de six personnes, prévenez-nous, afin que nous trouvions assez de chaises.',
)}
<p>English: <a href="/visit/en" hreflang="en" lang="en">How to find us</a> · Deutsch: <a href="/visit/de" hreflang="de" lang="de">So finden Sie uns</a></p>`,
  },
]
