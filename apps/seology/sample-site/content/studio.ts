/** Everything around the studio: home, about, gallery, how to get here. */

import { figure, type Origins, type Page, paragraphs } from '../page.ts'

const home: Page = {
  path: '/',
  title: 'Kiln & Clay – stoneware from Millbrook',
  description:
    'A pottery in a former tannery: tableware thrown by hand, courses at the wheel, and a journal about both.',
  image: 'studio',
  main: () => `<h1>Stoneware for every day</h1>
${figure('studio', 'The yard of the tannery with the kiln shed')}
<p class="lead">Four potters, eight wheels and one large kiln in a yard where leather was tanned for three hundred years.</p>
<p>We make plates, mugs, bowls and vases that are meant to be used, and to be forgotten while they are. Everything is thrown and glazed in the room behind the <a href="/shop/?utm_source=home&amp;utm_campaign=spring">shop</a> and fired twice, the second time at 1,260 degrees. What has a flaw is sold in January; what has none is sold all year round.</p>
<h2>Come and try it</h2>
<p>On most Saturdays we teach beginners <a href="/workshops/wheel-throwing">to throw their first bowl</a>, and on Tuesdays those who could not stop. Children make hedgehogs. If you would rather look on, the door is open from Wednesday to Sunday, and there is coffee. Four times a year we <a href="/journal/kiln-opening">open the kiln together</a> and sell what comes out of it while it is still warm.</p>
<h2>News from the yard</h2>
<p>The new <a href="/catalogue">catalogue</a> is here. In the <a href="/old-shop">shop as it used to be</a> you find what we made before the fire of the shed, and in the <a href="/gallery/">gallery</a> what came out of it lately. We buy our glaze materials from <a href="EXTERNAL/suppliers">Hollow Ridge Minerals</a> and used to buy our brushes from <a href="EXTERNAL/closed-shop">a shop that has closed</a>; the guild keeps its <a href="EXTERNAL/members-only">directory of potteries</a> behind a door. The <a href="/private/ledger">ledger of the studio</a> is nobody’s business.</p>`,
}

const about: Page[] = [
  {
    path: '/about',
    title: 'About us: four potters and a yard – Kiln & Clay',
    description:
      'Who we are, how we came to the tannery, and why there is an owl in the mark under our pots.',
    image: 'about',
    defects: [{ id: 'link-text-poor', subject: '/press' }],
    main: () => `<h1>About us</h1>
${figure('about', 'Four aprons on four hooks')}
${paragraphs(
  'We are four: two of us learned the trade properly, one came for a weekend and stayed, and one was an accountant and still is on Mondays. The tannery had stood empty for nine years when we found it. It had no roof over the western half and a lime tree growing through the eastern one. The tree is still there.',
  'Nobody here is the boss. Who throws a pot turns it, glazes it and signs it, and if it comes back broken it is that person who writes the letter. We meet on Wednesday mornings for an hour, during which nobody may touch clay, and decide what has to be decided: what to make, what to stop making, and whose turn it is to clean the glaze buckets.',
  'The owl under our pots lived in the chimney when the large kiln was built. We waited for her. She came back twice and then moved to the church, where the view is better. You can read about <a href="/about/history">the history of the house</a>, and see who is who on the page of <a href="/about/team">the people in the studio</a>. Whoever likes to know how old a pot is may look at the mark: it has changed four times.',
)}
<p><a href="/press"><svg width="24" height="24" viewBox="0 0 24 24"><path d="M4 4h16v16H4z" fill="currentColor"/></svg></a></p>`,
  },
  {
    path: '/about/history',
    title: 'Three hundred years of the tannery – Kiln & Clay',
    description:
      'From hides to pots: what happened in Tannery Yard before we came, as far as it has been written down.',
    image: 'history',
    openGraph: false,
    defects: ['open-graph-missing'],
    main: () => `<h1>History of the house</h1>
${figure('history', 'Plan of the yard with its pits')}
${paragraphs(
  'The first tanner of Millbrook is named in a tax roll of 1704, because he did not pay. He dug eleven pits beside the brook, lined them with oak and filled them with bark. A hide lay in them for a year. The smell must have been considerable; the yard was outside the walls, and the wind, as the roll remarks, was generally from the west.',
  'His grandson built the long house in which we throw. Its ground floor has no windows towards the street, since leather does not like the sun, and that is why we have had to knock six of them through the wall. Upstairs the hides were hung to dry; today it is pots that hang about there, on boards that slide on the same beams.',
  'In 1889 there was a fire, in 1921 a flood, and in 1963 the last tanner locked the door. For a while the yard belonged to a dealer in scrap. When we dug the ground for the kiln, we found, in this order: a bicycle, two anvils, a layer of bark as thick as an arm, and the oak planks of the third pit, black and sound. They are the shelves of the shop.',
)}`,
  },
  {
    path: '/about/team',
    title: 'The people in the studio – Kiln & Clay',
    description:
      'Who throws, who glazes, who fires and who does the accounts at Kiln & Clay, with the marks they sign by.',
    image: 'team',
    robots: 'noindex',
    defects: ['noindex-important', 'sitemap-url-bad'],
    main: () => `<h1>The people in the studio</h1>
<p>Ada throws plates, Ben throws vases, Cora builds by hand and Dario does the accounts and the mugs.</p>`,
  },
  {
    path: '/press',
    title: 'Press and stockists – Kiln & Clay',
    description:
      'Photographs for newspapers, a few sentences that may be printed, and the shops that carry our pots.',
    listed: false,
    canonical: ({ own }) => `${own}/`,
    defects: ['canonical-to-home', { id: 'link-uncrawlable', subject: 'www.millbrook-guild.example' }],
    main: () => `<h1>Press and stockists</h1>
<p>Our pots are sold here, at the market on the first Sunday of the month, and by the members of the
<a href="www.millbrook-guild.example">guild of Millbrook</a>. Photographs may be printed if the potter is named.</p>`,
  },
  {
    path: '/contact',
    title: 'How to reach us – Kiln & Clay',
    description:
      'A form for orders, courses and questions; our address, our hours, and the best time to call.',
    image: 'studio',
    defects: [{ id: 'link-uncrawlable', subject: 'javascript:openMap()' }],
    main: () => `<h1>How to reach us</h1>
<p>Write to us with the form below or by <a href="mailto:hello@kiln-and-clay.example">mail</a>, or call <a href="tel:+441234567890">during our hours</a>. <a href="javascript:openMap()">Open the map</a>. There is also a <a href="/go/newsletter">newsletter</a>.</p>
<form action="/contact" method="post">
<p><label>Your name <input name="name" autocomplete="name"></label></p>
<p><label>Your address for an answer <input name="email" type="email" autocomplete="email"></label></p>
<p><label>What it is about <textarea name="message" rows="6"></textarea></label></p>
<p><button>Send the message</button></p>
</form>`,
  },
  {
    path: '/go/newsletter',
    title: 'Newsletter – Kiln & Clay',
    description:
      'The newsletter of the studio, four times a year, ordered by means of the form on our contact page.',
    listed: false,
    robots: 'noindex',
    defects: [{ id: 'redirect-client', mode: 'browser' }],
    main: () => '<h1>Newsletter</h1>\n<p>One moment …</p>',
    bodyEnd: '<script>location.replace("/contact")</script>\n',
  },
]

const gallery: Page[] = [
  {
    path: '/gallery/',
    title: 'The gallery: rooms and pieces – Kiln & Clay',
    description:
      'A walk through the rooms of the studio, and some of the pieces that we could not bring ourselves to sell.',
    image: 'gallery',
    defects: ['image-alt-missing', { id: 'link-uncrawlable', subject: '/gallery/' }],
    main: () => `<h1>The gallery</h1>
<img src="/images/gallery.svg" width="640" height="360">
${paragraphs(
  'Some pieces cannot be sold, because they belong to the house by now. The bowl with the crack that was mended with gold has stood on the sill of the staircase for so long that the cat has been told about it. The jar beside the door holds umbrellas and was meant for cucumbers. And the plate with the fish was thrown by somebody who is now eighty and comes every Friday to see whether it is still there.',
  'You can walk through the rooms below. They are shown as they are on an ordinary day, which means that there is a bucket in every picture. We have tried to take the buckets away before taking the photographs, and the rooms looked as if nobody worked in them.',
  'Photographs of the <a href="/gallery/kiln-room">kiln room</a> are large, so that the glow can be made out. Those of the <a href="/gallery/summer-2019">summer exhibition</a> were taken by a visitor. If you have been here and have taken a picture that you like, send it to us, and tell us whom to name. We hang the best of them in the corridor, next to the bill for the first gas burner and a drawing by a child, in which all of us have six fingers.',
)}
<h2>The rooms</h2>
<ul>
<li><a href="#/room/wheels">The room with the wheels</a></li>
<li><a href="#/room/glazes">The room with the glazes</a></li>
<li><a href="#/room/attic">The attic above both</a></li>
</ul>`,
  },
  {
    path: '/gallery/kiln-room',
    title: 'The kiln room at night – Kiln & Clay',
    description:
      'The large kiln in the shed, photographed at night through the spy hole and through the open door.',
    image: 'kiln',
    defects: [{ id: 'image-heavy', mode: 'browser' }],
    main: () => `<h1>The kiln room at night</h1>
<figure><img src="/images/kiln-room-large.svg" alt="Sparks above the chimney of the kiln" width="640" height="360"></figure>
${paragraphs(
  'The large kiln has a volume of two cubic metres and takes about four hundred mugs, or as many as fit beside the platters. It is built of bricks from a chimney and lined with fibre. From outside it looks like a very small chapel. There are two burners on each side, a flue at the back and a spy hole in the door, through which one can see the cones bend if one knows where to look.',
  'The picture was taken at three in the morning, when the fire was at its height and somebody had thrown a handful of salt into it for the effect. Each spark is one grain. Normally nothing can be seen but a blue flame above the chimney, which tells us that the kiln is short of air, as it should be at that hour.',
  'Firing takes from twenty to forty hours. One of us is always there. There is an armchair, whose cover has been renewed twice, and a shelf of detective stories that have all been read by everyone. The cat sleeps on top of the controller. In winter the neighbours come over to warm their hands, and bring soup.',
)}`,
  },
]

export const studioPages: Page[] = [home, ...about, ...gallery].map(page => ({
  ...page,
  main: (origins: Origins) => page.main(origins).replaceAll('EXTERNAL', origins.external),
}))

/** What the gallery answers for a picture that it does not have, with status 200. */
export function missingPicture(path: string): Page {
  return {
    path,
    title: 'Picture not found – Kiln & Clay gallery',
    description:
      'The picture that you are looking for is not in our gallery any more, or it never was in there.',
    image: 'gallery',
    canonical: null,
    main: () => `<h1>Picture not found</h1>
${paragraphs(
  'We have looked behind every frame, and the picture that you are looking for is not here. It may have been taken down for cleaning, lent to somebody’s aunt, or replaced by a newer one of the same corner.',
  'Please start again from <a href="/gallery/">the entrance of the gallery</a>, where all the rooms are listed.',
)}`,
  }
}
