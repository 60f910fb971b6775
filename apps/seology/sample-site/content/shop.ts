/** The shop: a list, its products, and the pages around them. */

import { escape, figure, type Page, paragraphs } from '../page.ts'

/** What every product page says after its own words. */
const careAndDelivery = `<h2>Care</h2>
${paragraphs(
  'Our stoneware is fired to 1,260 degrees and takes the dishwasher, the microwave and a warm oven. It does not take a sudden change of temperature: let a dish come out of the refrigerator for half an hour before it meets the heat. Metal cutlery may leave grey marks on matt glazes; a little baking soda on a damp cloth removes them.',
)}
<h2>Delivery and returns</h2>
${paragraphs(
  'We pack twice a week, in paper and straw, and send within the country in two to four days. Should a piece arrive broken, a photograph is enough and we send another. Whatever does not suit your table comes back to us within thirty days, unused, and we refund it in full.',
)}`

interface Product extends Partial<Page> {
  slug: string
  name: string
  blurb: string
  text: string
}

const products: Product[] = [
  {
    slug: 'dinner-plate',
    name: 'Dinner plate in oat glaze',
    blurb: 'Twenty-seven centimetres of calm under whatever you cook.',
    text: 'The dinner plate was the first thing we made for ourselves, because the ones we could buy were either too flat for sauces or too deep for a knife. Ours has a rim that rises a finger’s breadth and a foot wide enough to stack eight high. The oat glaze breaks to iron brown where it runs thin, so that no two plates are quite alike; buy them six at a time and they still look like a family. Each plate is thrown, turned on the second day and signed under the foot by whoever made it.',
  },
  {
    slug: 'everyday-mug',
    name: 'Everyday mug with a thumb rest',
    blurb: 'Three hundred millilitres and a handle for a whole hand.',
    text: 'A mug has to be right at six in the morning, half asleep and with one hand. This one holds three hundred millilitres to a finger below the rim. The handle is pulled, not cast; it leaves room for three fingers and ends in a small rest for the thumb. Inside, a white liner glaze shows how strong the tea is. Outside we leave a band of bare clay above the foot, which stays cool enough to touch. It fits under every coffee machine that we have tried, and we have tried a good many.',
  },
  {
    slug: 'moon-vase',
    name: 'Moon vase for single stems',
    blurb: 'A white globe, joined from two bowls.',
    titleTags: '<title></title>',
    defects: ['title-missing'],
    text: 'The moon vase is made like the Korean jars that it is named after: two bowls are thrown to the same width, left to stiffen over night and joined rim to rim. The seam never vanishes altogether, and we do not want it to. The neck is narrow, so that one branch of quince or three tulips stand where you put them. The white glaze is a feldspar glaze with a drop of iron in it, warm in the evening and nearly blue in the morning. It holds water without a mark on the table.',
  },
  {
    slug: 'tea-bowl',
    name: 'Tea bowl in tenmoku black',
    blurb: 'A bowl for both hands, black breaking to rust.',
    titleTags: '<title>Tea bowl in tenmoku black – Kiln &amp; Clay</title>\n<title>Tea bowls</title>',
    defects: ['title-multiple'],
    text: 'Held in both hands, a tea bowl warms before it is drunk from. This one is thrown from a coarse, iron-rich body and turned only at the foot, so that the marks of the fingers remain. The tenmoku glaze is black where it lies thick and breaks to rust along the lip, where you drink. It is meant for whisked green tea and is wide enough for the whisk, but nobody will mind if you serve soup in it. Every bowl comes wrapped in a cotton cloth that was printed in the next yard.',
  },
  {
    slug: 'soup-plate',
    name: 'Soup plate with a broad rim',
    blurb: 'Deep in the middle, wide at the edge.',
    title:
      'Soup plate with a broad rim, thrown and glazed by hand in our Millbrook studio, in oat, ash and celadon – Kiln & Clay',
    defects: ['title-length'],
    text: 'Soup wants depth and bread wants somewhere to lie, which is why this plate has a well of four centimetres and a rim of five. The rim is slightly dished, so a dumpling that leaves the spoon does not leave the plate. We throw it from eleven hundred grams of clay and turn it down to seven hundred, which makes it lighter than it looks. The glaze stops a little short of the edge. It stacks inside the dinner plate of the same series and takes no more room in the cupboard than that.',
  },
  {
    slug: 'espresso-cup',
    name: 'Espresso cup without a handle',
    blurb: 'Seventy millilitres, thick walls, no fuss.',
    descriptionTag: '<meta name="description" content="">',
    defects: ['description-missing'],
    text: 'The walls of this cup are thick on purpose: seventy millilitres of coffee lose their heat in a minute in anything thinner. There is no handle, since at that size nobody has found a use for one. A shallow groove runs around the middle and tells the fingers where to hold it. We glaze it inside with the same white liner as the mugs and leave the outside bare, burnished with a spoon while the clay is still damp. Put it on top of the machine while that warms up and it will keep its promise.',
  },
  {
    slug: 'milk-jug',
    name: 'Milk jug that does not drip',
    blurb: 'A spout pulled in one stroke.',
    description: 'A milk jug that pours.',
    defects: ['description-length'],
    text: 'A spout that drips is a spout whose edge is round. We pull ours in one stroke with a wet finger and then cut the lip with a wire, so that the last drop has an edge to fall from. The jug holds a quarter of a litre, enough for a pot of coffee and four people who do not agree about milk. Its belly is low, which makes it hard to knock over, and its mouth wide enough for a brush. We have measured: of the last two hundred jugs that left the kiln, six dripped, and those we kept.',
  },
  {
    slug: 'salt-cellar',
    name: 'Salt cellar with an oak lid',
    blurb: 'A box for flakes, lidded in oak.',
    description:
      'A small stoneware box for the table, thrown by hand and closed with a turned lid of local oak.',
    defects: ['description-duplicate'],
    text: 'Flaky salt wants to be taken between finger and thumb, and kept dry until then. The cellar is as wide as a hand is when it reaches into something, and its inside is left unglazed so that the clay takes up what moisture there is. The lid is turned from oak out of the wood behind the tannery; it is oiled once and needs no more than a dry cloth afterwards. The box stands on three feet, which is one less to wobble. It holds a hundred and fifty grams of sea salt in large flakes.',
  },
  {
    slug: 'pepper-pot',
    name: 'Pepper pot with an oak lid',
    blurb: 'For corns, cumin or cardamom.',
    description:
      'A small stoneware box for the table, thrown by hand and closed with a turned lid of local oak.',
    defects: ['description-duplicate'],
    text: 'Pepper is at its best in the minute after it has been crushed, and so this is no shaker but a pot for whole corns that sits beside the mortar. It is taller than the salt cellar and glazed inside, for the oils of the spice would stain bare clay. The lid is turned from the same oak and has a leather loop, by which it can be told from the other in the dark. Some of our customers keep cumin in it, others cardamom, and one of them her rings. It holds about a hundred grams.',
  },
  {
    slug: 'large-platter',
    name: 'Large platter for a feast',
    blurb: 'Forty-two centimetres, made in a mould of plaster.',
    listed: false,
    headers: ({ own }) => ({ link: `<${own}/shop/dinner-plate>; rel="canonical"` }),
    defects: ['canonical-conflict'],
    text: 'Nothing of this size survives the wheel without growing heavy, so the platter is pressed into a plaster mould that we made from a slice of a beech. You can follow the rings under the glaze with a finger. It measures forty-two centimetres and carries a goose, or the cheese for twenty. Two holes in the foot take a wire, should you have no shelf that is deep enough. Large pieces move in the fire more than small ones; ours lie flat to within two millimetres, and we check every one on a sheet of glass.',
  },
  {
    slug: 'butter-dish',
    name: 'Butter dish with a water seal',
    blurb: 'Keeps butter soft and fresh without a refrigerator.',
    canonical: ({ own }) => `${own}/shop/butter-dish#product`,
    defects: ['canonical-invalid'],
    text: 'The old French butter bell keeps air out with nothing but water. You press the butter into the lid, fill the lower part to the mark and put the one into the other: the water seals it, and the butter stays soft for a fortnight if the water is changed every third day. Ours holds a hundred and twenty-five grams. The two halves are thrown separately and matched after the glaze firing, since clay shrinks as it likes. We number each pair under the foot, so that you can send for one half alone.',
  },
  {
    slug: 'egg-cup',
    name: 'Egg cup on a tall foot',
    blurb: 'For hens, bantams and, upside down, for geese.',
    canonical: () => '/shop/egg-cup',
    defects: ['canonical-invalid'],
    text: 'An egg cup is the smallest thing on the wheel and takes as long as a mug. This one stands on a foot as high as the cup, which keeps the fingers out of the yolk and the shell in view. Turned over, it fits the egg of a goose; bantams sit a little deep in it and do not seem to mind. The glaze is ash from our own stove, washed three times and mixed with clay from the river. It runs in rivulets and pools to green glass in the hollow, where nobody sees it until the egg is gone.',
  },
  {
    slug: 'cereal-bowl',
    name: 'Cereal bowl for big spoons',
    blurb: 'Straight walls, so that nothing escapes.',
    listed: false,
    canonical: ({ own }) => `${own}/shop/discontinued-mug`,
    defects: ['canonical-target-bad'],
    text: 'Breakfast is eaten in a hurry, and a bowl with sloping walls sends a part of it over the edge. The walls of this one stand straight for five centimetres before they turn, so that the spoon can push against them. It holds half a litre with room for milk. The rim is rounded towards the inside, a detail that took us four firings to get right and that nobody notices, as it should be. Children may have it in blue, with a rabbit at the bottom that can be reached only by finishing.',
  },
  {
    slug: 'print-catalogue',
    name: 'The printed catalogue',
    blurb: 'Forty-eight pages, stitched by hand.',
    viewport: false,
    defects: ['viewport-missing'],
    text: 'Once a year we print everything that we make on forty-eight pages of uncoated paper, with drawings at half their size and the glazes as small dots of colour. It is stitched by hand at the long table in the shop, usually in January, when the clay is too cold to touch. The catalogue costs nothing if you order something with it and the price of a coffee otherwise. Schools and libraries may have it in any number for as long as there are some left. Older years can be looked at in the studio.',
  },
]

/** Products whose page is no plain product page. */
const others: Page[] = [
  {
    path: '/shop/gift-card',
    title: 'Gift card for the shop – Kiln & Clay',
    description:
      'A card of stiff grey board with an amount of your choice, valid in the shop for three years.',
    image: 'gift-card',
    defects: ['content-thin'],
    main: () => `<h1>Gift card</h1>
${figure('gift-card', 'A grey card with a drawing of a jug')}
${paragraphs(
  'A card of stiff grey board with the amount that you choose. It is valid for three years and can be spent in parts. Write to us and we send it within two days.',
)}`,
  },
  {
    path: '/shop/bestsellers',
    title: 'What sells best in our shop – Kiln & Clay',
    description:
      'The ten pieces that left our shelves most often this season, counted anew each time you look.',
    image: 'bestsellers',
    delayMs: 1_000,
    defects: ['ttfb-slow'],
    main: () => `<h1>What sells best</h1>
${figure('bestsellers', 'A shelf with mugs, plates and a vase')}
${paragraphs(
  'This page adds up the orders of the season whenever somebody looks at it, which is why it takes its time. Somebody should write the numbers down once a night instead. Until then you may use the wait to guess: it is always the mug.',
  'The <a href="/shop/everyday-mug">everyday mug</a> leads by such a distance that we had to build a shelf for it alone. After it come the <a href="/shop/dinner-plate">dinner plate</a> and the soup plate, which people buy together although they say beforehand that they want only the one.',
)}
${careAndDelivery}`,
  },
  voucher(
    '/shop/gift-voucher',
    'Vouchers from the shop – Kiln & Clay',
    'Give a day at the wheel: a voucher from our shop for any course of the year, sent by post or by mail.',
  ),
  {
    path: '/shop/compare',
    title: 'Compare two pieces side by side – Kiln & Clay',
    description:
      'Put two of our pieces next to each other and see which of them you would rather have at home.',
    listed: false,
    robots: 'noindex, follow',
    main: () => `<h1>Compare two pieces</h1>
<p>Choose a pair. We have laid them out on the long table.</p>
<ul class="columns">
${comparePairs.map((pair, at) => `<li><a href="/shop/compare?pair=${pair}">Pair ${at + 1} of the table</a></li>`).join('\n')}
</ul>`,
  },
  {
    path: '/shop/wishlist',
    title: 'Your wish list – Kiln & Clay',
    description:
      'The pieces that you have marked for later, kept for as long as this visit lasts and no longer.',
    listed: false,
    robots: 'noindex, follow',
    main: () => `<h1>Your wish list</h1>
<p>Nothing on it yet. <a href="/shop/wishlist?PHPSESSID=${freshSession()}">Look at the list again</a>.</p>`,
  },
  {
    path: '/print/price-list',
    title: 'Price list for printing – Kiln & Clay',
    description:
      'Our prices on one sheet, for the notice board in the shop and for those who still keep a folder.',
    listed: false,
    headers: () => ({ 'x-robots-tag': 'noindex' }),
    main: () => '<h1>Price list</h1><p>Mug 24, plate 32, soup plate 34, jug 28, vase 60.</p>',
  },
  {
    path: '/legacy/price-list',
    title: 'Prices of earlier years - Kiln & Clay',
    description:
      'What our pieces cost in earlier years, kept here because collectors keep asking us for the list.',
    charset: false,
    defects: ['charset-missing'],
    main: () => `<h1>Prices of earlier years</h1>
${paragraphs(
  'Collectors ask us what a piece was sold for when it was new, usually because they have found one in an attic. This list goes back to the first kiln. Prices are for firsts; seconds were sold at half of it, on the last Saturday of the month, to whoever came early enough to stand in the yard.',
  'In the first year a mug cost nine, a plate twelve and a vase twenty. In the third year we changed the clay and raised everything by a quarter, which was less than the clay had gone up. In the fifth year we bought the large kiln, and for the first time there were platters on the list, at fifty-five. In the eighth year the price of gas doubled; we did not double ours, but we stopped firing in February, and the jug went from eighteen to twenty-two.',
  'Since then prices have risen by a little every second spring. We have never made a piece cheaper in order to sell more of it. If you own something that is not on this list, send a photograph of the mark under the foot. The mark of the studio has changed four times, and together with the initials of the maker it tells the year of a piece to within about eighteen months.',
)}`,
  },
]

/** The same words under two addresses. */
export function voucher(path: string, title: string, description: string): Page {
  return {
    path,
    title,
    description,
    image: 'voucher',
    defects: ['duplicate-exact'],
    main: () => `<h1>Give a day at the wheel</h1>
${figure('voucher', 'A folded card with a ribbon of clay')}
${paragraphs(
  'A voucher is good for any course of the year, for one person, with clay, glazes and both firings included. Whoever receives it chooses the date. If no date suits, the voucher can be passed on, or exchanged in the shop for pieces of the same value.',
  'We send it by post in a box with a ball of clay, or by mail if it is already tomorrow that matters. The clay stays soft for some months in its bag. It is the same that is used in the course, so that impatient people may begin at the kitchen table.',
  'Vouchers do not expire. We have taken back one that was eleven years old, bought from us before we had a roof, and the lady it belonged to threw a better bowl on her first day than most of us do in the first year. Groups of up to eight may put their vouchers together and have the studio for themselves, with lunch at the long table and somebody beside them for every question.',
  'Write the name as it should stand on the card, and the day on which it should arrive. Everything else can be settled later. Children need to be ten years old for the wheel and can come at any age for building by hand.',
)}`,
  }
}

/** Fifty pairs, all with the same words: what a crawler should stop reading. */
export const comparePairs = Array.from({ length: 50 }, (_, at) =>
  (0x51a7c0de + at * 0x01000193).toString(16).slice(-8),
)

export const comparePage: Page = {
  path: '/shop/compare',
  title: 'Two pieces side by side – Kiln & Clay',
  description: 'Two of our pieces next to each other on the long table, seen from above and from the side.',
  canonical: null,
  robots: 'noindex, follow',
  main: () => `<h1>Two pieces side by side</h1>
<p>Seen from above, and from the side. <a href="/shop/compare">Back to all pairs</a>.</p>`,
}

/** Filters of the list, canonicalised to it. */
export const filterPage: Page = {
  path: '/shop/filter',
  title: 'Blue and large – Kiln & Clay',
  description:
    'The pieces of our shop that are blue and large, of which there are not as many as one would wish.',
  canonical: ({ own }) => `${own}/shop/`,
  main: () => `<h1>Blue and large</h1><p>Two pieces: the platter, and the bowl with the rabbit.</p>`,
}

let sessions = 0

/** A session id that no two answers share. */
function freshSession(): string {
  sessions += 1
  return sessions.toString(16).padStart(26, 'a')
}

function productPage({ slug, name, blurb, text, ...overrides }: Product): Page {
  return {
    path: `/shop/${slug}`,
    title: `${name} – Kiln & Clay`,
    description: `${name}. ${blurb} Thrown by hand in our studio in Millbrook.`,
    image: slug,
    main: ({ own }) => `<h1>${escape(name)}</h1>
${figure(slug, name)}
<p class="lead">${blurb}</p>
<p>${text}</p>
${careAndDelivery}
<script type="application/ld+json">
${JSON.stringify({ '@context': 'https://schema.org', '@type': 'Product', name, url: `${own}/shop/${slug}` })}
</script>`,
    ...overrides,
  }
}

const list: Page = {
  path: '/shop/',
  title: 'The shop: tableware and vases – Kiln & Clay',
  description: 'Plates, mugs, bowls and vases of stoneware, thrown by hand and fired twice in our own kiln.',
  image: 'shop',
  main: () => `<h1>The shop</h1>
<p class="lead">Everything here was made in the room behind the shop, by one of four people.</p>
<p>We make what we need ourselves and then make some more of it. What you see is in stock, or will be when the next kiln is opened; the <a href="/shop/bestsellers">list of what sells best</a> tells how quickly things go. Prices include both firings, the packing and the signature under the foot.</p>
<ul class="cards">
${products.map(({ slug, name, blurb }) => `<li><a href="/shop/${slug}">${escape(name)}</a><span>${blurb}</span></li>`).join('\n')}
<li><a href="/shop/gift-card">Gift card for the shop</a><span>For those who would rather choose for themselves.</span></li>
<li><a href="/shop/gift-voucher">Voucher for a course</a><span>A day at the wheel, clay included.</span></li>
</ul>
<h2>Find your way</h2>
<p>You may <a href="/shop/compare">compare two pieces</a>, look for <a href="/shop/filter?size=large&amp;colour=blue">large pieces in blue</a> (or for <a href="/shop/filter?colour=blue&amp;size=large">blue pieces that are large</a>), and keep a <a href="/shop/wishlist?PHPSESSID=${freshSession()}">wish list</a>. How many there are of each is shown by the <a href="/shop/stock-level">stock level</a>. There is a <a href="/print/price-list">price list for printing</a> and one of <a href="/legacy/price-list">earlier years</a>.</p>
<p>One piece is no longer made, although people ask for it: the <a href="/shop/discontinued-mug">mug with two handles</a>.</p>`,
}

export const shopPages: Page[] = [list, ...products.map(productPage), ...others]
