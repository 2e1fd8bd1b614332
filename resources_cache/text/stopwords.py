"""Small words that say nothing about what a text is about, already folded as ``key`` folds them.

Short on purpose: a word that could be what somebody looks for ("state", "work", "use") is not here.
"""

from __future__ import annotations

_EN = """a about after all also an and any are as at be because been before between both but by can could did do
does during each for from had has have he her his how if in into is it its may me more most my no nor not of on
or other our over per she should so some such than that the their them then there these they this those through
to under until up was we were what when where which while who whom why will with would you your"""
_FR = """au aux avec ce ces cet cette dans de des du elle elles en entre est et eu il ils je la le les leur leurs
lors mais me meme mes moi mon ne nos notre nous on ont ou par pas plus pour qu que quel quelle quels quelles qui sa
sans se ses son sont sur ta te tes toi ton tu un une vos votre vous d l n s c j m t y"""
_ES = """al como con cual cuales cuando de del desde donde el ella ellas ellos en entre era es esa ese eso esta
este esto estos estas fue ha han hasta hay la las lo los mas me mi mis muy ni no nos o para pero por porque que
quien se ser si sin sobre son su sus tambien te tu tus un una unas uno unos y ya e"""
_PT = """ao aos as com como da das de dela dele do dos e ela elas ele eles em entre era essa esse esta este foi
foram isso isto ja la mais mas me mesmo meu minha muito na nas nao nem no nos nossa nosso o os ou para pela pelas
pelo pelos por qual quando que quem se sem ser seu seus so sua suas tambem te um uma umas uns"""
_AR = """في من على الى عن مع هذا هذه ذلك تلك التي الذي الذين ان انه انها كان كانت قد لا ما لم لن هو هي هم او
ثم بين كل بعد قبل عند غير حتى اذا كما لكن منذ خلال حول و ف ب ل"""
_SW = """na ya wa za la kwa ni katika cha vya pa kama hii hiyo hizi hayo huo huu hilo ili au lakini pia kuwa
yake wake zake lake chake yao wao zao sana bila hadi kati mwa kutoka ambayo ambao ambazo"""

RAW = frozenset(" ".join((_EN, _FR, _ES, _PT, _AR, _SW)).split())
"""The words as written above, for the folding module to fold."""
