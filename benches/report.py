import json,os
from stats import *
def write(out,rows,results):
    for k,v in results.items():
        print(k)
        for n,s in v.items():
            m=summary(s); print(f"   {n:24} {m['median']:10.2f} [{m['p10']:10.2f} {m['p90']:10.2f}] n={m['n']}")
