"""Small words that say nothing about what a text is about, by language, as they are written in lower case.

They weigh nothing in a query, and they tell the language of a text that does not say. Short on purpose: a word
that could be what somebody looks for is not here, in its own language or in another of these ("state", "work";
German "war" and "die", French "son", Romanian "care", "ai" in several would be dropped from an English question).
"""

from __future__ import annotations

_EN = """a about above after again against all also am among an and any are as at be because been before being
below between both but by can cannot could did do does doing done down during each either few for from
further had has have having he her here hers herself him himself his how however i if in into is it its
itself just may me might more most much must my myself no nor not of off on once only onto or other
others our ours out over own per rather same shall she should since so some such than that the their
theirs them themselves then there therefore these they this those though through thus to too under until
up upon us very via was we were what whatever when where whether which while who whom whose why will
with within without would yet you your yours"""
_FR = """a afin ainsi alors apres après au aucun aucune aussi autre autres aux avait avant avec avoir c ce ceci
cela celle celles celui ces cet cette ceux chaque chez ci comme comment d dans de depuis des dont du
elle elles en encore entre est et etaient était étaient étant etc ete été être eu eux faut furent fut
ici il ils j je jusque l la le les leur leurs lors lorsque lui m ma mais me même memes mêmes mes moi mon
n ne ni nos notre nous on ont ou où par parce pas pendant peu peut plus pour pourquoi puis qu quand que
quel quelle quelles quels qui quoi s sa sans se selon sera ses si soit sont sous sur t ta tandis te tel
telle telles tels tes toi tous tout toute toutes très tu un une vers vos votre vous y à ça"""
_ES = """a al algo algunas algunos ante antes aquel aquella aquellas aquellos así aún aunque cada como cómo con
contra cual cuál cuales cuáles cuando cuándo cuanto cuánto cuántos de del desde donde dónde durante e el
él ella ellas ellos en entre era eran es esa esas ese eso esos esta está están estas este esto estos fue
fueron ha había han hasta hay la las le les lo los más me mi mientras mis muy ni no nos nosotros o os
otra otras otro otros para pero poco por porque pues que qué quien quién quienes se según ser si sí sino
sobre su sus tal también tan tanto te tiene tienen toda todas todo todos tras tu tus u un una unas uno
unos y ya yo"""
_PT = """a à ainda ao aos aquela aquelas aquele aqueles aquilo as às até cada com como contra da das de dela
delas dele deles depois desde do dos durante e é ela elas ele eles em enquanto entre era eram essa essas
esse esses esta está estão estas este estes eu foi foram há isso isto já lhe lhes mais mas me mesmo meu
minha muito na não nas nem no nos nós nossa nosso num numa o onde os ou outra outras outro outros para
pela pelas pelo pelos por porque qual quais quando quanto quantos que quem são se seja sem ser seu seus
só sobre sua suas também tem tendo têm te toda todas todo todos tu um uma umas uns vos"""
_DE = """aber als also am an ander andere anderen auch auf aus bei beim bis da damit dann das dass daß dazu dem
den denn der deren des dessen diese diesem diesen dieser dieses doch durch ein eine einem einen einer
eines er es etwas für gegen haben hatte hatten ihm ihn ihr ihre ihrem ihren ihrer im in indem ins ist
jede jeden jeder jedes kann können mehr mit nach nicht noch nur ob oder ohne sehr sein seine seinem
seinen seiner seit sich sie sind so sondern über um und uns unter vom von vor waren warum was weil
welche welchem welchen welcher welches wenn wer werden wie wieder wird wo worden wurde wurden während zu
zum zur zwischen"""
_IT = """a ad agli al alla alle allo anche ancora avere che chi ci come con contro cui da dagli dai dal dalla
dalle dallo degli dei del dell della delle dello di dopo due durante e è ed era erano essere fra gli ha
hanno i il in io la le lei lo loro lui ma mentre mi mia mio nei nel nell nella nelle nello noi non
nostra nostro o ogni oltre ora per perché più poi prima qual quale quali quando quanti quanto quella
quelle quelli quello questa queste questi questo se senza si sia sono sotto sua sui sul sulla sulle suo
suoi tra tutti tutto un una uno"""
_NL = """aan al alle als andere bij dan dat de deze dit een elk en er geen haar hebben heeft het hij hoe hun ik
in is je kan kunnen maar meer met na naar naast niet nog nu of om omdat onder ons ook op over per te
tegen ten ter tijdens toen tot tussen uit van veel voor waar waarom wanneer waren wat we welk welke werd
werden wie wij worden wordt zal ze zich zij zijn zoals zonder zou"""
_RU = """а без более был была были было быть в вам вас во вот все всего всех вы где да даже для до его ее её если
есть ещё еще же за и из или им их к как какая какие какое какой какую каким каком когда кого кто куда ли
между меня мне много может можно мы на над нас не него нее неё нет ни них но ну о об один однако он она
они оно от перед по под после почему при про раз с сам свой своей своих себя сколько со так также такие
такой там тем то того тоже той только том тот ту ты у уже хотя чего чей чем что чтобы эта эти этих это
этого этой этом этот я является являются"""
_UK = """а але або без був була були було бути в від вже він вона вони воно все де для до є же з за зі і із й
його її їх як яка який які якщо коли ми на над не ні о об один по під після при про та так також там те
тих то того тому у хто це цей цього ці чи що щоб я"""
_TR = """acaba ama ancak arasında bana bazı bir biz bu buna bunda bundan bunlar bunu bunun çok çünkü da daha de
değil diye en gibi göre hangi hangisi hem hep hepsi her hiç için ile ise kadar kaç ki kim kime kimin mı
mi mu mü nasıl ne neden nedir nerede nereye niçin niye o olan olarak oldu olduğu olduğunu olur on ona
onlar onlara onların onu onun öyle sadece sonra şey şu tarafından tüm üzere var ve veya ya yani yok"""
_RO = """a acea aceasta această aceea acel acela acele acelea acest acesta aceste acestea acestei acestor acestui
acum al ale alte altele am ar are as asemenea asupra au aveau avea ca că câte câți când căror cărei
cărui ce cea cei cel cele celor chiar cine cu cum da dacă dar de deci decât deja deoarece despre din
dintre doar după ea ei el ele era erau este eu fi fie fiecare fiind fost în înainte între îi își îl la
le li lor lui mai mult ne nici noi nu o or ori pe pentru peste prin s sa sau să se sunt și și ţi te
toate toți tot tu un una unde unei unele unor unui vor"""
_EL = """α αλλά αν αντί από απο αυτά αυτές αυτή αυτό αυτοί αυτός αυτού αυτών για γιατί δε δεν εάν είναι είχαν
είχε εκείνη εκείνο εκείνος ένα έναν ένας ενός ενώ επειδή επίσης έχει έχουν η ή ήταν θα και κατά κάθε με
μετά μέσα μη μην μια μία μιας μπορεί μπορούν να ο οι όμως όπου όπως όσο όταν ότι ου πιο ποια ποιά ποιες
ποιο ποιοι ποιον ποιος ποιός πόσα πόσο πόσοι πόσες που πού πριν προς πως πώς σαν σε στα στη στην στις
στο στον στους σύμφωνα τα τη την της τι τί τις το τον του τους των ώστε"""
_HI = """अगर अपना अपनी अपने अब आदि आप इन इनके इस इसका इसकी इसके इसमें इसे उन उनका उनकी उनके उन्हें उन्होंने उस
उसका उसकी उसके उसने उसे एक एवं ऐसे और का कि किए कितना कितनी कितने किन किया किस किसका किसकी किसके किसने
किसी किसे की कुछ के को कोई कौन कौनसा क्या क्यों कब कहाँ कहां कैसे गई गए गया जब जहाँ जहां जा जाता जाती
जाते जिन जिस जिसके जिसमें जिसे जैसे जो तक तब तो था थी थीं थे द्वारा न नहीं ने पर फिर बहुत भी मैं में यदि
यह यहाँ या ये रहा रही रहे लिए वह वहाँ वाला वाले वाली वे सकता सकती सकते सब सभी साथ से हम ही हुआ हुई हुए
है हैं हो होता होती होते होना"""
_AR = """في من على الى إلى عن مع هذا هذه ذلك تلك التي الذي الذين ان أن إن انه أنه انها أنها كان كانت كانوا يكون
تكون قد لا ما ماذا لم لن ليس هو هي هم او أو ثم بين كل بعد قبل عند غير حتى اذا إذا كما لكن منذ خلال حول و
ف ب ل متى أين اين كيف لماذا كم هل أي اي أية أيضا ايضا بعض دون ذات عليه عليها فيه فيها لها له لهم منها
منه بها به نحن أنت وهو وهي والتي والذي ومن وفي وقد ولا لدى حيث عندما أما إما إلا الا أثناء"""
_FA = """و در به از که این آن را با است برای تا هم یا اما بر هر چه چرا کجا کدام کدامیک کسی چگونه چقدر چند چیست
کیست بود بودند شد شده شود شدند می‌شود می شوند باشد باشند کرد کرده کند کنند دارد دارند داشت خود ما من او
آنها آن‌ها ایشان شما نیز پس پیش اگر بین یک دیگر همه هیچ نه مانند طور توسط روی زیر بدون هنگام"""
_SW = """na ya wa za la kwa ni katika vya pa kama hii hiyo hizi hayo huo huu hilo ili au lakini pia kuwa huku hao
hawa yake wake zake lake chake yao wao zao sana bila hadi kati mwa kutoka ambayo ambao ambazo ambaye
kwamba ndani juu je nini nani wapi lini gani ipi yapi kila si tu bado baada kabla ambapo hivyo"""
_VI = """bị bởi cả các cái cho chỉ chưa có cũng của cùng đã đang đây để đến đó được gì hoặc khi không là lại lên
mà mỗi một nào này nên nếu ngoài như nhưng những ở qua ra rằng rất rồi sẽ tại theo thì trên trong từ và
vào vẫn về vì với đâu bao nhiêu sao thế"""
_ID = """ada adalah akan aku anda antara apa apakah atas atau bagaimana bagi bahwa banyak beberapa berapa bila
bisa bukan dalam dan dapat dari daripada dengan di dia hanya harus hingga ia ini itu jika juga kami
kapan karena ke kepada ketika kita lebih maka mana masih mengapa mereka namun oleh pada para pun saat
saja sampai sangat saya sebagai sebelum sebuah secara sedang sehingga sejak selama semua seorang seperti
serta setelah setiap siapa suatu sudah tanpa telah tentang terhadap tersebut tetapi tidak untuk yaitu
yakni yang"""
_CA = """a al als amb aquest aquesta aquestes aquests aquell aquella això com d de del dels des després el ella
elles ells els en entre era és està hi ha han i l la les li lo més molt n na ni no on per perquè però
pel pels qual quals quan què que qui s sense ser seu seus seva seves si són també te un una unes uns va
van"""
_SV = """alla allt att av blev bli de dem den denna deras dess dessa det detta du efter eller en ett från för ha
hade han har hon hur här i icke inte i jag kan med mellan mot mycket när något några och om på samt ska
skulle som så till under upp ut var vad varför vem vid vilka vilken vilket vi än är även över"""
_DA = """af alle at blev blive da de dem den denne der deres det dette disse du efter eller en er et for fra ham
han har havde hendes her hos hun hvad hvem hver hvilken hvilke hvor hvordan hvorfor hvornår i ikke ind
jeg kan med meget mellem mod når og også om op over på sig sin som til ud under var ved vi været"""
_NO = """alle at av ble bli da de dem den denne der deres det dette disse du eller en er et etter for fra ha
hadde han har hun hva hvem hvilke hvilken hvor hvordan hvorfor i ikke jeg kan med mellom mot mye når og
også om opp over på seg sin skal som til ut under var ved vi være"""
_FI = """ei eivät että ennen he hän ja jo joiden joka joko jonka jos josta jotka kaikki kanssa kuin kuinka kuka
kun kuten mihin mikä mikäli miksi missä mistä mitä mitkä mukaan mutta myös ne niiden niin noin nyt oli
olivat olla on ovat se sekä sen siitä sillä tai tämä tämän vain vaan voi"""
_PL = """a aby ale albo ani bardzo bez był była było były być by co czy czyli czym dla do gdy gdzie go i ich ile
im inne innych jak jaka jaki jakie jako je jednak jego jej jest jeszcze jeśli już każdy kiedy kto która
które którego której którą którym których który którzy lub ma mają między może można na nad nie nich niż
o od on ona one oni oraz po pod podczas ponieważ poza przed przez przy są się ta tak także tam te tego
tej ten to tu tych tylko tym u w we wiele wszystkie z za ze że"""
_CS = """a aby aj ale anebo ani asi až bez bude by byl byla byli bylo být co což do ho i ich jak jaká jaké jaký
jako je jeho její jejich jen ještě jestli již jsou k kde kdo kdy kolik která které kterého který kteří
ku má mají mezi na nad ne nebo není než o od on ona oni po pod podle pokud pro proč protože před při s
se si tak také tato tedy tento to toho tuto ty u už v ve však z za ze že"""
_HU = """a az és is hogy nem de egy ez ezek azok csak már még meg ha vagy volt voltak van vannak lesz amely
amelyek aki akik ami mi mit ki kik hol hova mikor miért hogyan hány mennyi melyik milyen minden után
előtt között által alatt felett ezt azt ennek annak ebben abban így úgy majd pedig illetve valamint sem"""

BY_LANGUAGE = {
    name[1:].lower(): frozenset(words.split())
    for name, words in list(globals().items())
    if len(name) == 3 and name[0] == "_" and isinstance(words, str)
}
"""Language (ISO 639-1) → its small words."""
