/** The journal: articles about clay and fire. */

import { escape, figure, type Page, paragraphs } from '../page.ts'

/** What stands below every article. */
const aboutTheJournal = `<h2>About this journal</h2>
${paragraphs(
  'The four of us take turns in writing here, usually while a kiln is cooling and nothing can be hurried. What we describe is what we do in our own studio, with our own clay and our own kiln; yours will behave differently, and that is half of the pleasure. Recipes are given by weight and in percent. Please test every glaze on a tile before you trust it with a vase, wear a mask when you mix dry materials, and never look into a hot kiln without dark glasses.',
  'If something here is wrong, tell us. The best corrections that we have received came on postcards.',
)}`

interface Article extends Partial<Page> {
  slug: string
  name: string
  summary: string
  text: string[]
}

const articles: Article[] = [
  {
    slug: 'clay-bodies',
    name: 'Choosing a clay body',
    summary: 'Earthenware, stoneware or porcelain: how we choose a clay for what is to be made of it.',
    defects: ['h1-multiple'],
    text: [
      'Every pot begins with a choice that cannot be taken back. Earthenware is soft, forgiving and porous; it wants a glaze in order to hold water. Stoneware needs a hotter fire and pays it back with strength. Porcelain is white and rings like a bell, and it remembers every mistake of the hand, even those that were smoothed away.',
      '<h1>Our own mixture</h1>',
      'For tableware we mix two stonewares in equal parts, one for the wheel and one for the kiln: the first is plastic and slumps, the second is short and stands. Together they do what they are told. A handful of sand to the kilo makes the walls of large vases stand up straight.',
    ],
  },
  {
    slug: 'trimming-tools',
    name: 'Five tools for turning a foot',
    summary: 'A loop, a rib, a needle, a sponge and a bit of an old saw blade: what we turn our feet with.',
    defects: ['heading-skip'],
    text: [
      'A pot is thrown in five minutes and turned in ten. The loop takes off what is too much, the rib smooths what remains, and the needle finds out how thick the bottom still is, preferably before it is too late. The sponge rounds the edge that will stand on somebody’s table.',
      '<h4>The saw blade</h4>',
      'The fifth tool cannot be bought. We break an old hacksaw blade to the length of a finger, bend it over a broom handle and grind one side. It costs nothing, cuts like a plane and lasts for a year. Lend it to nobody.',
    ],
  },
  {
    slug: 'notes-from-japan',
    name: 'Notes from a month in Japan',
    summary: 'A month in Mashiko: kilns that climb hills, tea at ten and three, and a wheel that is kicked.',
    lang: null,
    defects: ['lang-missing'],
    text: [
      'In Mashiko the kilns climb the hills like caterpillars. The one in which I was allowed to put six bowls has nine chambers and is fired for three days with the wood of red pines, by people who speak little and eat a great deal. At ten and at three there is tea, whatever the temperature.',
      'The wheel there turns the other way. For a week I could not centre a ball of the size of an apple, and after the month I could not do it at home. What I brought back, apart from two of the six bowls, is the habit of wedging in a spiral, and of sweeping the floor before the work instead of after it.',
    ],
  },
  {
    slug: 'reclaiming-clay',
    name: 'Reclaiming clay without a pug mill',
    summary: 'What falls off the wheel can be clay again in a week, given two buckets and a slab of plaster.',
    defects: ['image-dimensions-missing'],
    text: [
      'About a third of what we throw ends up in the bucket. It would be a pity to waste it, and it is no trouble: let the scraps dry until they are hard as biscuits, drown them in rain water and wait a day. Dry clay slakes to a fine mud within an hour, whereas leather-hard clay sulks for weeks.',
      '<p><img src="/images/reclaim.svg" alt="Mud drying on a slab of plaster"></p>',
      'Pour the mud on plaster, as thick as a hand, and turn it once when the edge comes away. It is ready when it no longer sticks to the knuckles. Wedge it well. Clay that has been through the bucket three times is the best there is, and we do not sell it.',
    ],
  },
  {
    slug: 'kiln-opening',
    name: 'Opening the kiln together',
    summary:
      'Four times a year we unload the large kiln in company: come, look, and take something home warm.',
    headBefore: () => '<div class="notice">We use no cookies.</div>',
    defects: ['head-broken'],
    text: [
      'A kiln must not be opened before it is down to a hundred degrees, and it takes two days to get there. On the third morning we put the coffee on, and whoever wants to may come and look over our shoulders while the bricks are taken out of the door, one by one, from the top.',
      'There is always one shelf that has gone wrong, and one that is better than anybody had a right to expect. Visitors like the first one more. Pieces may be bought from the shelf, still warm, wrapped in a newspaper. We take no orders on that day, for our heads are elsewhere.',
    ],
  },
  {
    slug: 'glazes-from-ash',
    name: 'Glazes from wood ash',
    summary:
      'What is left in the stove makes a glaze as old as stoneware itself: how we wash it and how we mix it.',
    text: [
      'Ash is a glaze that somebody has already mixed. Two parts of it, two of feldspar and one of clay from the river give a green that runs in rivulets and cannot be bought. The ash of fruit trees is softer than that of oak, and straw gives a milky blue if you are lucky; we were, once.',
      'Sieve it dry, drown it, stir it, let it settle and pour off the water, which is lye and bites. Do that three times. The more often it is washed, the less it runs, and the fewer shelves you will have to grind. If you want to see the effect on real pots, <a href="/visit/en">click here</a>.',
    ],
    defects: [{ id: 'link-text-poor', subject: '/visit/en' }],
  },
  {
    slug: 'guest-post',
    name: 'A guest writes: on wheels',
    summary:
      'Our friend from the wheelwright’s shop on electric motors, flywheels and the patience of bearings.',
    listed: false,
    canonical: ({ external }) => `${external}/essays/on-wheels`,
    defects: ['canonical-invalid'],
    text: [
      'This essay appeared first in the notebook of a friend, who builds and mends wheels and whose page is named above as the original. He allowed us to print it here, since half of our readers do not own a computer and read what we hang up beside the door.',
      'A wheel, he writes, is a flywheel with manners. The heavier it is, the less it notices your hands, and the longer it goes on when the motor is off. He prefers a head of cast iron and a belt of leather. The bearings want a drop of oil in spring and otherwise to be left alone, like the rest of us.',
    ],
  },
  {
    slug: 'winter-sale',
    name: 'The winter sale is over',
    summary: 'The seconds of last year are gone. When the next ones will be sold, and what a second is.',
    listed: false,
    robots: 'index, follow',
    headers: () => ({ 'x-robots-tag': 'noindex' }),
    defects: ['robots-directives-conflict'],
    text: [
      'By eleven o’clock there was nothing left but a teapot without a lid. Thank you all for standing in the rain. A second is a piece that holds what it should and looks a little otherwise: a warped rim, a drop of glaze too many, a pinhole on the inside. We keep them on a shelf of their own until January.',
      'The next sale will be on the second Saturday of the new year. We do not reserve anything and do not put the seconds on the internet.',
    ],
  },
  {
    slug: 'archive',
    name: 'From the archive',
    summary:
      'What we wrote in the first years, before there were photographs: a list of what is worth rereading.',
    text: [
      'We have gone through the first volumes of this journal and kept what is still true. Much of it was about the roof. The <a href="/journal/kiln-diary">diary of our first large kiln</a> is the longest of the old texts, and it is the one that visitors ask about, mostly because of the owl.',
      'What we wrote about prices we have moved elsewhere, and the recipes that turned out to be wrong are gone, among them a red that was responsible for two ruined shelves. The <a href="/loop-a">index of all volumes</a> is still being put in order. If you own a printed copy of the third volume, with the fold-out plan of the yard, we should like to buy it back: ours was used to light a stove.',
    ],
  },
  {
    slug: 'kiln-diary',
    name: 'Diary of the first large kiln',
    summary:
      'How the large kiln was built in eleven weekends, by whom, from what, and what the owl had to do with it.',
    defects: ['h1-missing'],
    text: [
      'First weekend: the ground. We dug where the tanners had had their pits and found oak planks as black as coal, which now are the shelves of the shop. Third weekend: two thousand bricks from a chimney that was being taken down in the next town, at a penny each, if we fetched them ourselves.',
      'Seventh weekend: the arch. It stood without its wooden form on the second attempt, and we drank to it. Ninth weekend: an owl moved into the chimney, and we waited until she had moved out again. What came out of the kiln first, apart from smoke, was a failure; how a failure can be put to use is told under <a href="/journal/raku">what the fire leaves</a>.',
    ],
  },
  {
    slug: 'raku',
    name: 'Raku: what the fire leaves',
    summary:
      'Pots taken glowing from the kiln and laid in sawdust: a technique for the impatient and the brave.',
    lang: 'english',
    defects: ['lang-invalid'],
    text: [
      'Raku is pottery for the impatient. The pot goes into the fire in the morning, is taken out glowing with long tongs an hour later and laid in a bin of sawdust, which bursts into flames at once. The lid goes on, and the smoke does the rest: where the glaze has cracked it draws black lines, and where there is none it turns the clay to coal.',
      'Nothing that comes out of it holds water, and nobody should eat from it. It is done for the pleasure of it, in the yard, with buckets at hand. The first time that we did it, it was by accident, in the <a href="/journal/first-firing">first firing of all</a>.',
    ],
  },
  {
    slug: 'first-firing',
    name: 'The first firing of all',
    summary: 'Forty pots, one night, no thermometer: what happened when the kiln was lit for the first time.',
    defects: ['depth-high'],
    text: [
      'We had forty pots, a borrowed burner and no thermometer. The books say that the colour of the fire tells the temperature: blood red, cherry, orange, straw. They do not say that at four in the morning everything is orange. By five the cones had fallen, all of them, including the one that was never meant to.',
      'What we took out on the third day was one object: forty pots, two shelves and a prop, joined for ever by the glaze that had run from them. It stands in the yard today and is greeted by everyone who comes through the gate. Birds drink from its top in summer. It was the only time that everything we made was kept.',
    ],
  },
  {
    slug: 'forgotten-glaze',
    name: 'The glaze that we forgot',
    summary: 'A yellow from the first year turned up in a notebook, and nobody remembers how we came by it.',
    defects: ['orphan-page'],
    text: [
      'Between two lists of groceries, in the notebook of the first winter, there is a recipe in pencil: nepheline forty, dolomite twenty, clay twenty, zircon eight, iron two. Nobody’s hand, nobody’s memory. We weighed it out on a quiet afternoon and put three tiles into the next kiln, right at the back.',
      'It is a yellow like the inside of a pear. It does not run or craze, and it likes every clay that we have. We have looked for the catch ever since. If you were in the studio in that winter and left us a glaze, come by: there is a plate with your name on it, or there would be if we knew your name.',
    ],
  },
]

/** Articles whose page is no plain article. */
const others: Page[] = [
  {
    path: '/journal/glaze-chart',
    title: 'Chart of all our test tiles – Kiln & Clay',
    description:
      'Fifteen hundred test tiles on one page: every glaze that we have tried, over every clay we own.',
    image: 'tiles',
    defects: [{ id: 'page-weight', mode: 'browser' }],
    main: () => `<h1>All our test tiles</h1>
${paragraphs('Each square is a tile on the wall of the glaze room. The rows are glazes, the columns clays.')}
<table class="tiles"><tbody>
${Array.from({ length: 38 }, (_, row) => `<tr>${Array.from({ length: 40 }, (__, column) => `<td style="background:hsl(${(row * 47 + column * 5) % 360} 30% ${35 + ((row + column) % 9) * 5}%)">${row + 1}/${column + 1}</td>`).join('')}</tr>`).join('\n')}
</tbody></table>`,
  },
  {
    path: '/journal/firing-log',
    title: 'Log of a firing, second by second – Kiln & Clay',
    description:
      'The temperature of our large kiln through forty hours, with everything that the sensors had to say.',
    image: 'kiln',
    defects: ['html-too-large'],
    main: () => `<h1>Log of a firing</h1>
${paragraphs(
  'Our new controller writes down the temperature once a second, in three places, and somebody has put all of it into this page. It is the firing of the second weekend in March: forty hours, from a cold kiln with damp shelves to the last cone and back to the point where a candle can be held into it.',
  'Up to two hundred degrees we go slowly, because of the water that is still in the clay. Then the burners are opened a little every half hour. At five hundred and seventy-three degrees the quartz in the clay changes its shape, and everybody in the room lowers their voice. At nine hundred we begin to choke the fire, so that it takes its oxygen from the glazes: that is what turns iron green and copper red.',
  'The curve stands still for an hour at the top. We call it soaking, and it evens out what differs between the upper and the lower shelves. Afterwards it falls steeply to a thousand, and from there on one only has to wait, which is the hardest part. Two of us have learned to knit because of it.',
)}
${aboutTheJournal}
<script type="application/json" id="log">${firingLog()}</script>`,
  },
]

/** A little above two million bytes. */
function firingLog(): string {
  const rows: string[] = []
  for (let second = 0; rows.length < 62_000; second++) {
    const degrees = Math.round(20 + 1_240 * Math.sin((Math.PI * second) / 62_000))
    rows.push(
      `"${String(second).padStart(6, '0')};${String(degrees).padStart(4, '0')};${String(degrees - 7).padStart(4, '0')};${String(degrees + 5).padStart(5, '0')};1234567"`,
    )
  }
  return `[${rows.join(',')}]`
}

function articlePage({ slug, name, summary, text, ...overrides }: Article): Page {
  const heading = slug === 'kiln-diary' ? `<p class="lead">${escape(name)}</p>` : `<h1>${escape(name)}</h1>`
  return {
    path: `/journal/${slug}`,
    title: `${name} – Kiln & Clay`,
    description: summary,
    image: slug,
    main: () => `${heading}
${figure(slug, `Drawing for the article: ${name}`)}
${paragraphs(...text)}
${aboutTheJournal}`,
    ...overrides,
  }
}

/** The older articles are only reached through one another. */
const inTheList = new Set([
  'clay-bodies',
  'trimming-tools',
  'notes-from-japan',
  'reclaiming-clay',
  'kiln-opening',
  'glazes-from-ash',
  'guest-post',
  'winter-sale',
])

const list: Page = {
  path: '/journal/',
  title: 'The journal: on clay, glaze and fire – Kiln & Clay',
  description:
    'Notes from the studio on clay, glazes, kilns and tools, written while something else is cooling.',
  image: 'journal',
  main: () => `<h1>The journal</h1>
<p class="lead">Notes from the studio, newest first, written while a kiln is cooling.</p>
<ul class="cards">
${articles
  .filter(({ slug }) => inTheList.has(slug))
  .map(
    ({ slug, name, summary }) =>
      `<li><a href="/journal/${slug}">${escape(name)}</a><span>${summary}</span></li>`,
  )
  .join('\n')}
</ul>
<h2>More to read</h2>
<p>There is a <a href="/journal/glaze-chart">chart of all our test tiles</a>, and the <a href="/journal/firing-log">log of a whole firing</a> for those who like numbers. What is older stands <a href="/journal/archive">in the archive</a>. The <a href="/journal/old-glaze-recipes">recipes of our first glazes</a> used to be here as well.</p>
<p>We publish something about twice a month, except in December, when nobody has a free hand. Articles are signed with initials, which you will also find under our pots. Whoever would rather read on paper will find the same texts on the wall beside the door of the shop, in larger letters, with remarks by our visitors in the margin.</p>`,
}

export const journalPages: Page[] = [list, ...articles.map(articlePage), ...others]
