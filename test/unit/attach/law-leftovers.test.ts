import { lawOfPlans } from "../../fake/law.js";

lawOfPlans("over what a killed run left");
