// A slider from -limit to limit, filled from 0: the browser's own range input, with its label and its value in words.
export default {
  template: `
    <div class="slide">
      <label :for="name">{{ name }}</label>
      <input type="range" :id="name" :min="-limit" :max="limit" step="0.1" :value="value" :aria-valuetext="valueText" :style="filled"
        @input="move($event.target.valueAsNumber)">
      <span aria-hidden="true">{{ valueText }}</span>
    </div>`,
  props: ["name", "limit", "start", "unit"],
  data() { return { value: this.start }; },
  computed: {
    valueText() { return (this.value > 0 ? "+" : "") + this.value.toFixed(1) + " " + this.unit; },
    filled() {
      const share = 0.5 + this.value / this.limit / 2;
      return { "--from": Math.min(0.5, share), "--to": Math.max(0.5, share) };
    },
  },
  methods: {
    move(value) { this.value = value; this.$emit("moved", value); },
  },
};
